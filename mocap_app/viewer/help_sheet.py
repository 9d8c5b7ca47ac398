"""What the keys do, and three lines on how to begin."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QDialog, QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

FIRST_STEPS = (
    "1.  Choose a camera, or drop a video on the window.",
    "2.  Stand where the camera sees all of you, feet too, and press the space bar.",
    "3.  Press it again. The take appears under Takes: play it, export it.",
)

IN_PARTS = (
    "In the timeline: ← and → step, I and O set in and out, X the whole take, L loops.\n"
    "In the 3-D view: 1, 2, 3 look from front, side and top, F frames the people, arrows turn, Home resets."
)


class HelpSheet(QDialog):
    """Lists the shortcuts of all actions. Belongs to the window's thread."""

    def __init__(self, actions: Sequence[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and first steps")
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 20)
        column.setSpacing(8)
        for number, text in enumerate(("First steps", *FIRST_STEPS)):
            label = QLabel(text)
            label.setObjectName("" if number else "card_title")
            column.addWidget(label)
        title = QLabel("Keys")
        title.setObjectName("card_title")
        column.addSpacing(10)
        column.addWidget(title)
        column.addLayout(_key_grid(actions))
        column.addSpacing(6)
        column.addWidget(QLabel(IN_PARTS))
        close = QPushButton("Close")
        close.clicked.connect(self.reject)
        column.addSpacing(8)
        column.addWidget(close, alignment=Qt.AlignmentFlag.AlignRight)


def _key_grid(actions: Sequence[QAction]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(18)
    grid.setVerticalSpacing(5)
    shown = [action for action in actions if not action.shortcut().isEmpty()]
    half = (len(shown) + 1) // 2
    for number, action in enumerate(shown):
        column = 0 if number < half else 2
        key = QLabel(action.shortcut().toString(QKeySequence.SequenceFormat.NativeText))
        key.setObjectName("pane_title")
        key.setAlignment(Qt.AlignmentFlag.AlignRight)
        grid.addWidget(key, number % half, column)
        grid.addWidget(QLabel(action.text().replace("&", "").rstrip("…")), number % half, column + 1)
    return grid
