"""A titled frame around a part of the window, with room for switches in its head."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget


class Pane(QFrame):
    """Holds one widget under a title."""

    def __init__(self, title: str, body: QWidget, margin_px: int = 1) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.body = body
        self.title = QLabel(title)
        self.title.setObjectName("pane_title")
        self.note = QLabel()
        self.note.setObjectName("muted")
        self._head = QHBoxLayout()
        self._head.setContentsMargins(12, 6, 6, 5)
        self._head.setSpacing(4)
        self._head.addWidget(self.title)
        self._head.addSpacing(8)
        self._head.addWidget(self.note, stretch=1)
        column = QVBoxLayout(self)
        column.setContentsMargins(margin_px, 0, margin_px, margin_px)
        column.setSpacing(0)
        column.addLayout(self._head)
        column.addWidget(body, stretch=1)

    def add_switch(self, widget: QWidget) -> None:
        """Put `widget` at the right end of the head."""
        self._head.addWidget(widget, alignment=Qt.AlignmentFlag.AlignRight)
