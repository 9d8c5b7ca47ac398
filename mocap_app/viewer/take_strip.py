"""The strip below a list that says what was done, and takes it back."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy

from .glyphs import GlyphButton, accent_of, mixed

FAULT = QColor("#e5484d")


class Strip(QFrame):
    """One message, with Undo where there is something to take back."""

    undo_asked = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.undo = QPushButton("Undo")
        self.undo.setToolTip("<b>Undo</b> (Ctrl+Z)<br>Take the last change of the files back.")
        self.undo.clicked.connect(self.undo_asked)
        self._close = GlyphButton("close", "Close", "Close this message; what was done stays.", size=16)
        self._close.clicked.connect(self.hide)
        self._is_fault = False
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 6, 6)
        row.addWidget(self.words, stretch=1)
        row.addWidget(self.undo)
        row.addWidget(self._close)
        self.hide()

    def say(self, text: str, can_undo: bool) -> None:
        """Say what was done."""
        self._show(text, can_undo, False)

    def complain(self, text: str) -> None:
        """Say what could not be done, and why."""
        self._show(text, False, True)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the ground, red at its edge for a complaint."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        base = self.palette().color(QPalette.ColorRole.Base)
        color = FAULT if self._is_fault else accent_of(self.palette())
        painter.setPen(QPen(mixed(color, base, 0.45), 1))
        painter.setBrush(mixed(color, base, 0.84))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 8, 8)
        painter.end()

    def _show(self, text: str, can_undo: bool, is_fault: bool) -> None:
        self._is_fault = is_fault
        self.words.setText(text)
        self.words.setAccessibleName(text)
        self.undo.setVisible(can_undo)
        self.show()
        self.update()
