"""One performer in the people panel: colour, number, how surely seen, pin, and a menu to swap and merge."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QEnterEvent, QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ..sinks.colors import COLORS
from ..wishes import Merge, Pin, Swap
from .glyphs import GlyphButton, faded, glyph_icon, mixed
from .people import Shown, others

BADGE = 30
SURE, UNSURE = 0.75, 0.45


def color_of(number: int) -> QColor:
    """Return a performer's colour, the same as in the picture."""
    return QColor(*COLORS[(number - 1) % len(COLORS)])


class Badge(QWidget):
    """A disc of the performer's colour with the number in it, pale while out of view."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.is_in_view = True
        self.setFixedSize(BADGE, BADGE)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the disc."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(faded(color_of(self._number), 1.0 if self.is_in_view else 0.35))
        painter.drawEllipse(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        font = painter.font()
        font.setPixelSize(13)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(18, 22, 28))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, str(self._number))
        painter.end()


class Meter(QWidget):
    """A thin bar, 0 to 1."""

    def __init__(self, color: QColor | None = None) -> None:
        """Paint in `color`, or for None by how much it is: surely, doubtfully, hardly."""
        super().__init__()
        self._color = color
        self._share = 0.0
        self.setFixedHeight(4)
        self.setMinimumWidth(48)

    def show_share(self, share: float) -> None:
        """Paint so much of the bar."""
        if share != self._share:
            self._share = share
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the bar."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        text = self.palette().color(QPalette.ColorRole.Text)
        painter.setBrush(faded(text, 0.13))
        painter.drawRoundedRect(QRectF(self.rect()), 2, 2)
        color = "#3fb67a" if self._share >= SURE else "#e0a23a" if self._share >= UNSURE else "#e5484d"
        painter.setBrush(self._color or QColor(color))
        painter.drawRoundedRect(QRectF(0, 0, self.width() * self._share, self.height()), 2, 2)
        painter.end()


class PersonChip(QWidget):
    """One line. Tells what is wished; the number it shows never changes."""

    wished = pyqtSignal(object)
    """`Pin`, `Swap` or `Merge`."""

    def __init__(self, number: int, is_live: bool) -> None:
        super().__init__()
        self.number = number
        self._others: tuple[int, ...] = ()
        self._is_live = is_live
        self._is_hovered = False
        self.badge = Badge(number)
        self.title = QLabel(f"Person {number}")
        self.told = QLabel()
        self.meter = Meter(None if is_live else color_of(number))
        self.pin = GlyphButton(
            "pin",
            "Pin as actor",
            "An actor comes first in every output and keeps number and place for ten minutes out of view.",
            size=18,
        )
        self.more = GlyphButton("more", f"Person {number}: swap or merge", "Put right who is who.", size=18)
        self._arrange()

    def show_person(self, person: Shown, everybody: Sequence[int]) -> None:
        """Show the newest about the person, and offer `everybody` else in the menu."""
        self._others = others(everybody, self.number)
        self.badge.is_in_view = person.is_in_view
        self.badge.update()
        words = person.told or (f"{person.score:.0%}" if person.is_in_view else "out of view")
        title = f"{'Actor' if person.is_pinned else 'Person'} {self.number}"
        if f"{title}, {words}" != self.accessibleName():
            self.title.setText(title)
            self.told.setText(words)
            self.setAccessibleName(f"{title}, {words}")
        self.meter.show_share(person.score)
        self.pin.blockSignals(True)
        self.pin.setChecked(person.is_pinned)
        self.pin.blockSignals(False)
        self.more.setEnabled(bool(self._others))

    def menu(self) -> QMenu:
        """Return what can be put right about this person."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        when = "" if self._is_live else " from here on"
        for other in self._others:
            action = menu.addAction(glyph_icon("swap", self.palette(), 16), f"Swap with person {other}{when}")
            assert action is not None
            action.setToolTip("They were taken for one another: each goes on under the other's number.")
            action.triggered.connect(lambda checked, b=other: self.wished.emit(Swap(self.number, b)))
        menu.addSeparator()
        for other in self._others:
            action = menu.addAction(glyph_icon("merge", self.palette(), 16), f"This is person {other}: merge")
            assert action is not None
            action.setToolTip(f"Person {self.number} goes on as person {other}.")
            action.triggered.connect(lambda checked, b=other: self.wished.emit(Merge(self.number, b)))
        return menu

    def sizeHint(self) -> QSize:
        """Be as low as a line may."""
        return QSize(220, 54)

    def enterEvent(self, event: QEnterEvent | None) -> None:
        """Light up."""
        self._is_hovered = True
        self.update()

    def leaveEvent(self, event: QEvent | None) -> None:
        """Go dark."""
        self._is_hovered = False
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the ground of the line."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        base, text = (self.palette().color(role) for role in (QPalette.ColorRole.Base, QPalette.ColorRole.Text))
        painter.setPen(mixed(base, text, 0.12))
        painter.setBrush(mixed(base, text, 0.09 if self._is_hovered else 0.045))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.end()

    def _arrange(self) -> None:
        self.pin.setCheckable(True)
        self.pin.setVisible(self._is_live)
        self.pin.toggled.connect(lambda is_pinned: self.wished.emit(Pin(self.number, is_pinned)))
        self.more.clicked.connect(lambda checked: self._open_menu())
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.DelayedPopup)
        self.title.setStyleSheet("font-weight: 600;")
        self.told.setObjectName("muted")
        self.told.setToolTip("How surely the person is seen" if self._is_live else "How long the person is in the take")
        self.setToolTip(f"Person {self.number}, in this colour in the picture, in 3-D and in the takes")
        words = QHBoxLayout()
        words.setSpacing(8)
        words.addWidget(self.title)
        words.addStretch(1)
        words.addWidget(self.told)
        middle = QVBoxLayout()
        middle.setSpacing(6)
        middle.addLayout(words)
        middle.addWidget(self.meter)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 8, 6, 8)
        row.setSpacing(4)
        row.addWidget(self.badge)
        row.addSpacing(6)
        row.addLayout(middle, stretch=1)
        row.addSpacing(4)
        row.addWidget(self.pin)
        row.addWidget(self.more)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _open_menu(self) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))
