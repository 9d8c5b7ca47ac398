"""The panel of live outputs: switch them on, see that they flow, learn how to receive them."""

from __future__ import annotations

import time

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from ..config import AppConfig
from ..stats import Summary
from .panel_style import Panel
from .settings_panel import SETTLE_MS
from .stream_card import StreamCard
from .streams_model import Traffic
from .streams_table import STREAMS


class StreamsPanel(Panel):
    """Shows and changes the live outputs. Belongs to the window's thread."""

    changed = pyqtSignal(object)
    """The new `AppConfig`, checked."""

    def __init__(self, config: AppConfig) -> None:
        super().__init__()
        self.setAccessibleName("Live outputs")
        self._config = self._told = config
        self._traffic = Traffic()
        self.cards = {stream.name: StreamCard(stream, config) for stream in STREAMS}
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._tell)
        self._arrange()
        self._show_flows()

    @property
    def config(self) -> AppConfig:
        """The settings as they stand in the panel, told or not yet."""
        return self._config

    def show_config(self, config: AppConfig) -> None:
        """Show other settings, and tell nobody; where they are those told last, what is being edited stays."""
        if config == self._told:
            return
        self._settle.stop()
        self._config = self._told = config
        for card in self.cards.values():
            card.show_config(config)
        self._show_flows()

    def show_traffic(self, summary: Summary) -> None:
        """Show what a running session's outputs did: call it a few times a second with `session.stats.summary()`."""
        self._traffic.take(summary, time.monotonic())
        self._show_flows()

    def forget_traffic(self) -> None:
        """Forget the last session: nothing flows, and nothing has failed."""
        self._traffic.forget()
        self._show_flows()

    def _arrange(self) -> None:
        inside = QWidget()
        inside.setProperty("part", "column")
        column = QVBoxLayout(inside)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(12)
        for card in self.cards.values():
            column.addWidget(card)
            card.changed.connect(self._take)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)

    def _take(self, config: AppConfig) -> None:
        self._config = config
        for card in self.cards.values():
            if card is not self.sender():
                card.show_config(config)
        self._show_flows()
        self._settle.start()

    def _tell(self) -> None:
        if self._config != self._told:
            self._told = self._config
            self.changed.emit(self._config)

    def _show_flows(self) -> None:
        for card in self.cards.values():
            card.show_flow(self._traffic.flow(self._told, card.stream))
