"""One live output in the panel: its light, its switch, its settings and the steps of the programs that receive it."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QSize, Qt, QUrl, pyqtSignal
from PyQt6.QtGui import QColor, QDesktopServices, QGuiApplication, QPainter, QPaintEvent, QRadialGradient
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from ..config import AppConfig
from ..errors import ConfigError
from .controls import Switch
from .panel_style import colors_now, mixed, set_part, small
from .setting_row import SettingRow, rule
from .settings_model import value_of, with_value
from .streams_model import Flow, Light, address_of, is_on, settings_of_stream, switched
from .streams_table import BROWSER, Receiver, Stream


class Lamp(QWidget):
    """A light: grey, green, amber or red; its words are the tooltip."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.light = Light.OFF
        self.show_flow(Flow(Light.OFF, "Off"))

    def show_flow(self, flow: Flow) -> None:
        """Take another colour."""
        self.light = flow.light
        self.setToolTip(flow.words)
        self.setAccessibleName(f"{self._name}: {flow.light.value}")
        self.setAccessibleDescription(flow.words)
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for room for the glow as well."""
        return QSize(20, 20)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the light, glowing unless it is off."""
        colors = colors_now()
        lit = {Light.FLOWING: colors.green, Light.WAITING: colors.amber, Light.FAILED: colors.red}
        color = lit.get(self.light, mixed(colors.card, colors.text, 0.35))
        middle = QPointF(self.width() / 2, self.height() / 2)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if self.light in lit:
            glow = QRadialGradient(middle, 9)
            for at, alpha in ((0.0, 150), (1.0, 0)):
                glow.setColorAt(at, QColor(color.red(), color.green(), color.blue(), alpha))
            painter.setBrush(glow)
            painter.drawEllipse(middle, 9, 9)
        painter.setBrush(color)
        painter.drawEllipse(middle, 4.5, 4.5)
        painter.end()


class StreamCard(QFrame):
    """Shows and changes one live output."""

    changed = pyqtSignal(object)
    """The new `AppConfig`."""

    def __init__(self, stream: Stream, config: AppConfig) -> None:
        super().__init__()
        self.setProperty("part", "card")
        self.stream = stream
        self._config = config
        self._host = stream.host
        self.lamp = Lamp(stream.title)
        self.switch = Switch()
        self.state = small(QLabel())
        self.rows: dict[str, SettingRow] = {}
        self.body = QWidget()
        self._column = QVBoxLayout(self.body)
        self._arrange()
        self.show_config(config)

    def show_config(self, config: AppConfig) -> None:
        """Show other settings, and tell nobody."""
        self._config = config
        on = is_on(config, self.stream.name)
        if on:
            self._host = str(value_of(config, f"{self.stream.name}.host"))
        self.switch.blockSignals(True)
        self.switch.setChecked(on)
        self.switch.blockSignals(False)
        self.body.setVisible(on)
        for key, row in self.rows.items():
            row.show_value(value_of(config, key))
            row.reset.setVisible(row.reset.isVisibleTo(row) and not key.endswith(".host"))
        if self.stream is BROWSER:
            self.address.setText(address_of(config))

    def show_flow(self, flow: Flow) -> None:
        """Show whether anything is sent."""
        self.lamp.show_flow(flow)
        set_part(self.state, "error" if flow.light is Light.FAILED else "dim")
        self.state.setText(flow.words if flow.light is not Light.OFF else self.stream.summary)

    def _arrange(self) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 8, 0, 8)
        whole.setSpacing(6)
        whole.addLayout(self._head())
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        if self.stream is BROWSER:
            self._column.addLayout(self._link())
        for setting in settings_of_stream(self._config, self.stream):
            row = self.rows[setting.key] = SettingRow(setting, compact=True)
            row.edited.connect(self._edit)
            row.reset_asked.connect(lambda key: self._edit(key, self.rows[key].setting.default))
            self._column.addWidget(row)
        self._column.addSpacing(6)
        self._column.addWidget(rule())
        self._column.addWidget(Steps(self.stream.title, self.stream.receivers))
        whole.addWidget(self.body)

    def _head(self) -> QHBoxLayout:
        title = QLabel(self.stream.title)
        title.setProperty("part", "big")
        self.state.setText(self.stream.summary)
        self.switch.setAccessibleName(f"{self.stream.title}: send")
        self.switch.setAccessibleDescription(self.stream.summary)
        self.switch.setToolTip(f"{self.stream.summary}\n\nApplies when the capture starts anew.")
        self.switch.toggled.connect(self._switch)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(title)
        words.addWidget(self.state)
        head = QHBoxLayout()
        head.setContentsMargins(10, 0, 12, 0)
        head.setSpacing(8)
        head.addWidget(self.lamp, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        head.addWidget(self.switch, 0, Qt.AlignmentFlag.AlignTop)
        return head

    def _link(self) -> QHBoxLayout:
        self.address = QPushButton()
        self.address.setProperty("part", "link")
        self.address.setCursor(Qt.CursorShape.PointingHandCursor)
        self.address.setToolTip("Open this address in the browser.")
        self.address.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(self.address.text())))
        self.copy = QToolButton()
        self.copy.setText("Copy")
        self.copy.setProperty("part", "chip")
        self.copy.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.copy.setToolTip("Copy the address.")
        self.copy.setAccessibleName("Copy the address")
        self.copy.clicked.connect(self._copy)
        line = QHBoxLayout()
        line.setContentsMargins(33, 0, 12, 2)
        line.addWidget(self.address)
        line.addStretch(1)
        line.addWidget(self.copy)
        return line

    def _copy(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.address.text())
            self.copy.setText("Copied")

    def _switch(self, on: bool) -> None:
        self._take(switched(self._config, self.stream.name, self._host if on else ""))

    def _edit(self, key: str, value: object) -> None:
        row = self.rows[key]
        if key.endswith(".host") and not value:
            row.show_error("Found nothing, expected an address, as 127.0.0.1; the switch above turns it off.")
            return
        try:
            self._take(with_value(self._config, row.setting, value))
        except ConfigError as error:
            row.show_error(str(error))

    def _take(self, config: AppConfig) -> None:
        self.show_config(config)
        self.changed.emit(config)


class Steps(QWidget):
    """What to do in the receiving programs, shown when asked for."""

    def __init__(self, title: str, receivers: tuple[Receiver, ...]) -> None:
        super().__init__()
        self.button = QToolButton()
        self.button.setText("How to receive it")
        self.button.setArrowType(Qt.ArrowType.RightArrow)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setCheckable(True)
        self.button.setProperty("part", "quiet")
        self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.button.setAccessibleName(f"How to receive {title}")
        self.button.setToolTip("Steps in the programs that receive it.")
        self.button.toggled.connect(self._show)
        self._inside = QWidget()
        self._inside.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 12, 0)
        column.addWidget(self.button)
        column.addWidget(self._inside)
        lines = QVBoxLayout(self._inside)
        lines.setContentsMargins(6, 0, 0, 2)
        lines.setSpacing(2)
        for receiver in receivers:
            self._add(lines, receiver)

    def _show(self, on: bool) -> None:
        self._inside.setVisible(on)
        self.button.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)

    def _add(self, lines: QVBoxLayout, receiver: Receiver) -> None:
        name = QLabel(receiver.name)
        name.setProperty("part", "big")
        steps = small(QLabel(receiver.steps.replace("\n", " ")))
        lines.addWidget(name)
        lines.addWidget(steps)
        lines.addSpacing(6)
