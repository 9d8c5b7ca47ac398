"""Recordings as rows of a list, and how a row is painted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from PyQt6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QRect, QRectF, QSize, Qt, QTimer, QUrl
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPalette
from PyQt6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ..library import Recording
from .glyphs import accent_of, faded, mixed, muted_of
from .take_wording import clock, day, summary
from .thumbnails import SIZE, Thumbnails

RECORDING = Qt.ItemDataRole.UserRole
PAD = 10


class TakeModel(QAbstractListModel):
    """The rows. Names are edited in place; `rename(recording, name)` says whether it was done."""

    def __init__(self, rename: Callable[[Recording, str], None]) -> None:
        super().__init__()
        self._rename = rename
        self.recordings: tuple[Recording, ...] = ()

    def show_recordings(self, recordings: tuple[Recording, ...]) -> bool:
        """Hold other rows from now on; return whether anything is different."""
        if recordings == self.recordings:
            return False
        self.beginResetModel()
        self.recordings = recordings
        self.endResetModel()
        return True

    def row_of(self, name: str) -> int:
        """Return the row of the recording `name`, -1 for none."""
        return next((row for row, recording in enumerate(self.recordings) if recording.name == name), -1)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return how many recordings there are."""
        return len(self.recordings)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a role shows of a recording."""
        recording = self.recordings[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return recording.name
        if role == RECORDING:
            return recording
        if role == Qt.ItemDataRole.AccessibleTextRole:
            when = day(recording.recorded_at, datetime.now().astimezone())
            said = recording.fault or f"{clock(recording.duration_s)}, {summary(recording)}"
            return f"{recording.name}, {said}, {when}"
        if role == Qt.ItemDataRole.ToolTipRole:
            files = "<br>".join(path.name for path in recording.files)
            fault = f"{recording.fault}<br>" if recording.fault else ""
            return f"<b>{recording.name}</b><br>{fault}{recording.recorded_at:%c}<br>{files}"
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Let names be edited, and files be dragged to other programs."""
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.NoItemFlags
        return flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsEditable | flag.ItemIsDragEnabled

    def mimeData(self, indexes: Iterable[QModelIndex]) -> QMimeData:
        """Return the files of recordings, for the program they are dragged to."""
        data = QMimeData()
        files = [path for index in indexes for path in self.recordings[index.row()].files]
        data.setUrls([QUrl.fromLocalFile(str(path.absolute())) for path in files])
        return data

    def supportedDragActions(self) -> Qt.DropAction:
        """Let other programs copy only: moving would tear recordings apart."""
        return Qt.DropAction.CopyAction

    def setData(self, index: QModelIndex, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Rename; the list is read anew by whoever did it."""
        recording = self.recordings[index.row()]
        if str(value) != recording.name:
            # Not while the editor is being closed: the rows are replaced.
            QTimer.singleShot(0, lambda: self._rename(recording, str(value)))
        return True


class TakeDelegate(QStyledItemDelegate):
    """Paints a recording as a card: picture, name, what it is, when it was."""

    def __init__(self, thumbnails: Thumbnails, want: Callable[[Recording], None]) -> None:
        """Show `thumbnails`; those not made yet are asked for by `want`."""
        super().__init__()
        self._thumbnails = thumbnails
        self._want = want
        self.being_recorded = ""
        """Name of the recording that is being made: nothing is wrong with it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Make room for the picture."""
        return QSize(240, SIZE.height() + 2 * PAD)

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Paint a row."""
        recording = index.data(RECORDING)
        if painter is None or not isinstance(recording, Recording):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, option)
        self._paint_picture(painter, option, recording)
        self._paint_words(painter, option, recording)
        painter.restore()

    def updateEditorGeometry(self, editor: object, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Put the field for the name where the name is."""
        place = _words(option.rect)
        editor.setGeometry(place.left() - 6, place.top() - 2, place.width() + 6, 32)  # type: ignore[attr-defined]

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        card = QRectF(option.rect).adjusted(3, 2, -3, -2)
        accent, text = accent_of(option.palette), option.palette.color(QPalette.ColorRole.Text)
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(faded(accent, 0.2))
            painter.setPen(faded(accent, 0.9 if option.state & QStyle.StateFlag.State_HasFocus else 0.5))
            painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(faded(text, 0.06))
            painter.drawRoundedRect(card, 8, 8)

    def _paint_picture(self, painter: QPainter, option: QStyleOptionViewItem, recording: Recording) -> None:
        place = QRectF(option.rect.left() + PAD, option.rect.top() + PAD, SIZE.width(), SIZE.height())
        frame = QPainterPath()
        frame.addRoundedRect(place, 6, 6)
        picture = self._thumbnails.of(recording)
        painter.save()
        painter.setClipPath(frame)
        if picture is None:
            painter.fillRect(place, QColor("#262c37"))
            self._want(recording)
        else:
            painter.drawPixmap(place.toRect(), picture)
        painter.restore()
        if recording.duration_s:
            self._paint_length(painter, place, recording)

    def _paint_length(self, painter: QPainter, place: QRectF, recording: Recording) -> None:
        font = QFont(painter.font())
        font.setPixelSize(10)
        font.setBold(True)
        painter.setFont(font)
        text = clock(recording.duration_s)
        width = QFontMetrics(font).horizontalAdvance(text) + 10
        badge = QRectF(place.right() - width - 4, place.bottom() - 19, width, 15)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(8, 10, 14, 190))
        painter.drawRoundedRect(badge, 4, 4)
        painter.setPen(QColor("#f2f4f7"))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_words(self, painter: QPainter, option: QStyleOptionViewItem, recording: Recording) -> None:
        place = _words(option.rect)
        text, muted = option.palette.color(QPalette.ColorRole.Text), muted_of(option.palette)
        when = day(recording.recorded_at, datetime.now().astimezone())
        fault = mixed(QColor("#e5484d"), text, 0.15)
        is_running = recording.is_open and recording.name == self.being_recorded
        what = "being recorded …" if is_running else recording.fault or summary(recording)
        lines = [
            (recording.name, text, 13, True),
            (what, fault if recording.fault and not is_running else muted, 12, False),
            (when, muted, 12, False),
        ]
        top = place.top() + 4
        for words, color, size, is_bold in lines:
            font = QFont(option.font)
            font.setPixelSize(size)
            font.setWeight(QFont.Weight.DemiBold if is_bold else QFont.Weight.Normal)
            metrics = QFontMetrics(font)
            line = QRect(place.left(), top, place.width(), metrics.height())
            painter.setFont(font)
            painter.setPen(color)
            # Names of takes often differ at their ends.
            elide = Qt.TextElideMode.ElideMiddle if is_bold else Qt.TextElideMode.ElideRight
            shown = metrics.elidedText(words, elide, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
            top += metrics.height() + 5


def _words(row: QRect) -> QRect:
    """Return where the words of a row go."""
    left = PAD + SIZE.width() + 14
    return row.adjusted(left, PAD, -PAD - 4, -PAD)
