"""One line above everything: what is wrong or done, and a button for what to do about it."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout

from .icons import icon
from .theme import DARK, Theme
from .wording import ACTION_WORDS, Notice


class Banner(QFrame):
    """Shows one notice until it is closed or another comes. Belongs to the window's thread."""

    acted = pyqtSignal(str)
    """The notice's action, when its button was pressed."""
    closed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._notice: Notice | None = None
        self._theme = DARK
        self._sign = QLabel()
        self.title = QLabel()
        self.title.setObjectName("pane_title")
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.action = QPushButton()
        self.action.clicked.connect(self._act)
        self.dismiss = QToolButton()
        self.dismiss.setObjectName("flat")
        self.dismiss.setAccessibleName("Close this message")
        self.dismiss.setToolTip("Close this message")
        self.dismiss.clicked.connect(self.closed)
        self._arrange()
        self.hide()

    @property
    def notice(self) -> Notice | None:
        """What is shown."""
        return self._notice

    def show_notice(self, notice: Notice | None) -> None:
        """Show `notice`; None hides the banner."""
        if notice == self._notice:
            return
        self._notice = notice
        if notice is None:
            self.hide()
            return
        self.title.setText(notice.title)
        self.text.setText(notice.text)
        self.text.setVisible(bool(notice.text))
        self.action.setVisible(bool(notice.action))
        if notice.action:
            self.action.setText(ACTION_WORDS[notice.action])
        self.setAccessibleName(f"{notice.title}. {notice.text}")
        self._paint_kind()
        self.show()

    def set_theme(self, theme: Theme) -> None:
        """Take over the colours."""
        self._theme = theme
        self.dismiss.setIcon(icon("close", theme.text))
        self._paint_kind()

    def _arrange(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self.title)
        words.addWidget(self.text)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(self._sign)
        row.addLayout(words, stretch=1)
        row.addWidget(self.action)
        row.addWidget(self.dismiss)

    def _paint_kind(self) -> None:
        kind = self._notice.kind if self._notice is not None else "note"
        self._sign.setPixmap(icon(kind, self._theme.record if kind == "error" else self._theme.text).pixmap(24, 24))
        self.setProperty("kind", kind)
        style = self.style()
        if style is not None:  # a property in a style sheet is looked at once
            style.unpolish(self)
            style.polish(self)

    def _act(self) -> None:
        if self._notice is not None and self._notice.action:
            self.acted.emit(self._notice.action)
