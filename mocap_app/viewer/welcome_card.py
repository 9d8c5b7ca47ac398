"""The friendly card over the demo actor, where there is no camera."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout

from .icons import icon
from .theme import Theme

TITLE = "No camera found"
TEXT = "Plug one in and press Refresh, or drop a video here. Meanwhile, a demo actor moves for you."


class WelcomeCard(QFrame):
    """Says what to do first. Belongs to the window's thread."""

    asked = pyqtSignal(str)
    """"refresh" or "open_video"."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        title = QLabel(TITLE)
        title.setObjectName("card_title")
        text = QLabel(TEXT)
        text.setWordWrap(True)
        self.refresh = QPushButton("Refresh")
        self.refresh.setObjectName("primary")
        self.refresh.setToolTip("Look for cameras again (F5)")
        self.refresh.clicked.connect(lambda: self.asked.emit("refresh"))
        self.open = QPushButton("Open a video…")
        self.open.clicked.connect(lambda: self.asked.emit("open_video"))
        self.dismiss = QToolButton()
        self.dismiss.setObjectName("flat")
        self.dismiss.setAccessibleName("Close this card")
        self.dismiss.setToolTip("Close this card")
        self.dismiss.clicked.connect(self.hide)
        head = QHBoxLayout()
        head.addWidget(title, stretch=1)
        head.addWidget(self.dismiss)
        row = QHBoxLayout()
        row.addWidget(self.refresh)
        row.addWidget(self.open)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 8, 10, 14)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(text)
        column.addLayout(row)
        self.setAccessibleName(f"{TITLE}. {TEXT}")
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours."""
        self.dismiss.setIcon(icon("close", theme.text))
