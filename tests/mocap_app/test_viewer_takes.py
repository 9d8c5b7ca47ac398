"""Timeline, list of takes, export and people: real widgets, real recordings, real files, no warning of Qt."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from take_material import Walkers, record, session_of

from exporters.files import read_take
from mocap_app.library import Library
from mocap_app.viewer.exporting import Answer, Choices, arguments
from mocap_app.viewer.playhead import Playhead
from mocap_app.viewer.take_wording import clock, day, summary
from mocap_app.wishes import Merge, Pin, Swap

pytest.importorskip("PyQt6", reason="the viewer's library is absent")
if sys.platform == "linux" and not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QPoint, Qt, qInstallMessageHandler
from PyQt6.QtGui import QColor, QImage, QPalette
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget

from mocap_app.viewer.export_dialog import ExportDialog
from mocap_app.viewer.glyphs import GLYPHS, GlyphButton
from mocap_app.viewer.people_panel import PeoplePanel
from mocap_app.viewer.person_chip import color_of
from mocap_app.viewer.show_in_folder import command
from mocap_app.viewer.take_list import TakeList
from mocap_app.viewer.timeline import Timeline

Open = Callable[[QWidget], None]


@pytest.fixture(scope="module")
def application() -> QApplication:
    return QApplication.instance() or QApplication(["test"])  # type: ignore[return-value]


@pytest.fixture(autouse=True)
def no_words_of_qt() -> Iterator[None]:
    """Fail a test in which Qt warns."""
    said: list[str] = []
    before = qInstallMessageHandler(lambda kind, context, text: said.append(text or ""))
    yield
    qInstallMessageHandler(before)
    # The plugin without a screen says at each window what it cannot do.
    assert not [text for text in said if "This plugin does not support" not in text]


@pytest.fixture
def opened(application: QApplication) -> Iterator[Callable[[QWidget], QWidget]]:
    widgets: list[QWidget] = []

    def show(widget: QWidget) -> QWidget:
        widgets.append(widget)
        widget.show()
        QTest.qWait(20)
        return widget

    yield show
    for widget in widgets:
        widget.close()
        widget.deleteLater()
    QTest.qWait(0)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    record(folder, 60, "walk", ("npz", "bvh"))
    return record(folder, 30, "run")


@pytest.fixture
def folder(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "takes"))


def wait_for(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        QTest.qWait(10)


def key(widget: QWidget, *keys: Qt.Key) -> None:
    for one in keys:
        QTest.keyClick(widget, one)


def colors_of(image: QImage) -> set[int]:
    return {image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}


# Timeline ------------------------------------------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hands() -> Clock:
    return Clock()


@pytest.fixture
def timeline(opened: Open, hands: Clock) -> Timeline:
    made = Timeline(Playhead(clock=hands))
    opened(made)
    made.resize(832, 120)
    made.show_take(10.0, 30.0, {1: [(0.0, 10.0)], 2: [(2.0, 4.0)]})
    QTest.qWait(10)
    return made


def test_keys_play_step_and_set_in_and_out(timeline: Timeline, hands: Clock) -> None:
    head, moved, spans = timeline.playhead, [], []
    timeline.moved.connect(moved.append)
    timeline.span_changed.connect(lambda *span: spans.append(span))
    key(timeline.ruler, Qt.Key.Key_K)
    assert head.is_playing
    hands.now += 2.0
    wait_for(lambda: moved[-1:] == [2.0])
    key(timeline.ruler, Qt.Key.Key_Return)
    assert not head.is_playing
    key(timeline.ruler, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left)
    assert head.time_s == pytest.approx(61 / 30)
    QTest.keyClick(timeline.ruler, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert head.frame == 71
    key(timeline.ruler, Qt.Key.Key_I)
    head.seek(5.0)
    key(timeline.ruler, Qt.Key.Key_O)
    assert spans[-1] == (pytest.approx(71 / 30), 5.0)
    key(timeline.ruler, Qt.Key.Key_Home)
    assert head.frame == 71
    key(timeline.ruler, Qt.Key.Key_End)
    assert head.time_s == 5.0
    key(timeline.ruler, Qt.Key.Key_L)
    assert head.loop
    key(timeline.ruler, Qt.Key.Key_X)
    assert spans[-1] == (None, None)
    assert head.span_s == (0.0, 10.0)


def test_space_is_left_to_recording(timeline: Timeline) -> None:
    key(timeline.ruler, Qt.Key.Key_Space)
    assert not timeline.playhead.is_playing
    assert not timeline.press(Qt.Key.Key_Space)


def test_playing_ends_at_the_end_and_says_so(timeline: Timeline, hands: Clock) -> None:
    played: list[bool] = []
    timeline.played.connect(played.append)
    timeline.toggle()
    hands.now += 11
    wait_for(lambda: played == [True, False])
    assert timeline.time_label.text() == "0:10.00 / 0:10.00"


def test_a_playhead_moved_by_somebody_else_is_noticed(timeline: Timeline, hands: Clock) -> None:
    moved: list[float] = []
    timeline.moved.connect(moved.append)
    timeline.playhead.seek(3.0)
    wait_for(lambda: moved == [3.0])
    timeline.playhead.play()
    hands.now += 1.0
    wait_for(lambda: moved[-1] == 4.0)
    assert {b.accessibleName() for b in timeline.findChildren(GlyphButton)} >= {"Pause", "Loop"}
    timeline.pause()


def test_the_mouse_scrubs_and_drags_handles(timeline: Timeline) -> None:
    ruler, head = timeline.ruler, timeline.playhead
    x = round(ruler.x_of(5.0))
    QTest.mousePress(ruler, Qt.MouseButton.LeftButton, pos=QPoint(x, 40))
    assert head.time_s == pytest.approx(ruler.time_at(x))
    QTest.mouseMove(ruler, QPoint(round(ruler.x_of(7.0)), 40))
    QTest.mouseRelease(ruler, Qt.MouseButton.LeftButton, pos=QPoint(round(ruler.x_of(7.0)), 40))
    wait_for(lambda: head.time_s == pytest.approx(7.0, abs=0.02))
    head.set_in(2.0)
    head.set_out(8.0)
    QTest.mousePress(ruler, Qt.MouseButton.LeftButton, pos=QPoint(round(ruler.x_of(2.0)), 10))
    QTest.mouseMove(ruler, QPoint(round(ruler.x_of(3.0)), 10))
    wait_for(lambda: head.in_s == pytest.approx(3.0, abs=0.04))
    QTest.mouseMove(ruler, QPoint(round(ruler.x_of(9.5)), 10))
    QTest.mouseRelease(ruler, Qt.MouseButton.LeftButton, pos=QPoint(round(ruler.x_of(9.5)), 10))
    assert head.in_s is not None
    assert head.in_s < 8.0
    assert head.out_s == 8.0


def test_bars_show_where_each_person_is(timeline: Timeline) -> None:
    ruler = timeline.ruler
    picture = ruler.grab().toImage()

    def color_at(time_s: float, lane: int) -> QColor:
        return picture.pixelColor(round(ruler.x_of(time_s)), 26 + 4 + 20 * lane + 3)

    def near(a: QColor, b: QColor) -> bool:
        return all(abs(x - y) < 30 for x, y in zip(a.getRgb()[:3], b.getRgb()[:3], strict=True))

    assert near(color_at(9.0, 0), color_of(1))
    assert near(color_at(3.5, 1), color_of(2))
    assert not near(color_at(8.0, 1), color_of(2))


def test_arrows_step_while_a_button_has_the_focus(timeline: Timeline) -> None:
    button = timeline.findChildren(GlyphButton)[0]
    button.setFocus()
    key(button, Qt.Key.Key_Right, Qt.Key.Key_Return)
    assert timeline.playhead.is_playing
    assert timeline.playhead.frame == 1
    timeline.toggle()


def test_buttons_loop_and_speed(timeline: Timeline, hands: Clock) -> None:
    buttons = {b.accessibleName(): b for b in timeline.findChildren(QAbstractButton)}
    buttons["Loop"].click()
    assert timeline.playhead.loop
    menu = timeline.speed_button.menu()
    assert menu is not None
    next(action for action in menu.actions() if action.text() == "0.5×").trigger()
    buttons["Play"].click()
    hands.now += 3
    assert timeline.playhead.time_s == pytest.approx(1.5)
    assert timeline.speed_button.text() == "0.5×"
    buttons["Play"].click()


def test_without_a_take_nothing_is_offered(timeline: Timeline) -> None:
    timeline.show_recording(None)
    assert not any(button.isEnabled() for button in timeline.findChildren(QAbstractButton))
    assert not timeline.press(Qt.Key.Key_K)
    assert len(colors_of(timeline.ruler.grab().toImage())) > 2


# List ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def takes(opened: Open, folder: Path) -> TakeList:
    shown: list[Path] = []
    made = TakeList(Library(folder), lambda path: not shown.append(path))
    made.shown = shown  # type: ignore[attr-defined]
    opened(made)
    made.resize(420, 520)
    return made


def names(takes: TakeList) -> list[str]:
    return [recording.name for recording in takes.model.recordings]


def test_lists_recordings_with_pictures_of_their_own_motion(takes: TakeList) -> None:
    assert sorted(names(takes)) == ["run", "walk"]
    wait_for(lambda: all(takes.thumbnails.of(recording) for recording in takes.model.recordings))
    for recording in takes.model.recordings:
        picture = takes.thumbnails.of(recording)
        assert picture is not None
        drawn = {QColor(rgb).name() for rgb in colors_of(picture.toImage())}
        assert {color_of(1).name(), color_of(2).name()} <= drawn
    role = Qt.ItemDataRole.AccessibleTextRole
    takes.select("walk")
    said = takes.view.currentIndex().data(role)
    assert said.startswith("walk, 0:02, 2 people  ·  npz, bvh, Today")


def test_a_kept_thumbnail_is_shown_instead(takes: TakeList, folder: Path) -> None:
    image = QImage(320, 240, QImage.Format.Format_RGB32)
    image.fill(QColor("#12ab34"))
    assert image.save(str(folder / "run.png"))
    takes.refresh()
    recording = takes.library.find("run")
    assert recording is not None
    assert QColor(takes.thumbnails.make(recording).toImage().pixel(20, 20)).name() == "#12ab34"


def test_enter_plays_and_selection_is_told(takes: TakeList) -> None:
    chosen, selected = [], []
    takes.chosen.connect(chosen.append)
    takes.selected.connect(selected.append)
    takes.select("walk")
    takes.view.setFocus()
    key(takes.view, Qt.Key.Key_Return)
    assert [recording.name for recording in chosen] == ["walk"]
    takes.select("run")
    assert selected[-1].name == "run"


def test_f2_renames_in_place(takes: TakeList, folder: Path) -> None:
    takes.select("walk")
    takes.begin_rename()
    editor = takes.view.findChild(QLineEdit)
    assert editor is not None
    renamed: list[tuple[str, str]] = []
    takes.renamed.connect(lambda *names: renamed.append(names))
    takes.show_span("walk", 0.5, None)
    editor.setText("first walk")
    key(editor, Qt.Key.Key_Return)
    wait_for(lambda: "first walk" in names(takes))
    assert (folder / "first walk_person1.bvh").exists()
    assert renamed == [("walk", "first walk")]
    assert takes._spans == {"first walk": (0.5, None)}
    assert takes.current is not None
    assert takes.current.name == "first walk"
    takes.strip.undo.click()
    assert sorted(names(takes)) == ["run", "walk"]


def test_an_impossible_name_is_explained(takes: TakeList) -> None:
    failed: list[str] = []
    takes.failed.connect(failed.append)
    takes.select("walk")
    assert takes.current is not None
    takes.rename(takes.current, "a:b")
    assert "which no file may have on Windows" in failed[0]
    assert (takes.strip.isVisible(), takes.strip.words.text(), takes.strip.undo.isVisible()) == (True, failed[0], False)


def test_deleting_selects_the_next_and_undo_brings_back(takes: TakeList, folder: Path) -> None:
    first, second = names(takes)
    takes.select(first)
    takes._acts["delete"].trigger()
    assert names(takes) == [second]
    assert takes.current is not None
    assert takes.current.name == second
    assert takes.strip.words.text() == f"Deleted {first}."
    takes.delete()
    assert (names(takes), takes.empty.isVisible()) == ([], True)
    assert str(folder) in takes.empty.text()
    takes.strip.undo.click()
    takes.undo()
    assert names(takes) == [first, second]


def test_trim_needs_in_and_out_and_writes_a_new_take(takes: TakeList, folder: Path) -> None:
    takes.select("walk")
    assert not takes._acts["trim"].isEnabled()
    takes.show_span("walk", 0.5, 1.0)
    assert takes._acts["trim"].isEnabled()
    takes.select("run")
    assert not takes._acts["trim"].isEnabled()
    takes.select("walk")
    takes._acts["trim"].trigger()
    assert takes.is_writing
    assert not takes._acts["trim"].isEnabled()
    wait_for(lambda: "walk_trim" in names(takes) and not takes.is_writing)
    assert len(read_take(folder / "walk_trim_person2.npz")) == 16
    assert takes.current is not None
    assert takes.current.name == "walk_trim"
    assert takes.strip.words.text() == "Wrote walk_trim; the original stays."
    takes.strip.undo.click()
    assert sorted(names(takes)) == ["run", "walk"]


def test_people_of_a_take_are_repaired_from_the_list(takes: TakeList) -> None:
    walk = takes.library.find("walk")
    assert walk is not None
    takes.repair(walk, Swap(1, 2), 0.5)
    wait_for(lambda: "walk_swap" in names(takes) and not takes.is_writing)
    takes.repair(walk, Merge(1, 9))
    wait_for(lambda: "found persons 1, 2" in takes.strip.words.text())


def test_new_takes_appear_by_themselves(takes: TakeList, folder: Path) -> None:
    takes.select("walk")
    shutil.copy(folder / "walk_person1.npz", folder / "later_person1.npz")
    wait_for(lambda: "later" in names(takes), 5.0)
    assert takes.current is not None
    assert takes.current.name == "walk"


def test_files_are_dragged_to_other_programs_as_copies(takes: TakeList) -> None:
    takes.select("walk")
    index = takes.view.currentIndex()
    assert takes.current is not None
    urls = takes.model.mimeData([index]).urls()
    assert [Path(url.toLocalFile()) for url in urls] == list(takes.current.files)
    assert takes.model.supportedDragActions() == Qt.DropAction.CopyAction
    assert takes.view.dragEnabled()


def test_a_name_being_typed_is_not_taken_away(takes: TakeList, folder: Path) -> None:
    takes.select("walk")
    takes.begin_rename()
    shutil.copy(folder / "walk_person1.npz", folder / "later_person1.npz")
    takes._look_again()
    editor = takes.view.findChild(QLineEdit)
    assert editor is not None
    assert editor.isVisible()
    key(editor, Qt.Key.Key_Escape)
    takes._look_again()
    assert "later" in names(takes)


def test_another_folder_is_listed(takes: TakeList, recorded: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(recorded, tmp_path / "other"))
    for path in other.glob("run*"):
        path.unlink()
    takes.select("run")
    takes.delete()
    takes.show_library(Library(other))
    assert names(takes) == ["walk"]
    assert not (tmp_path / "takes" / ".deleted").exists()


def test_a_broken_take_is_listed_with_its_fault_and_not_played(takes: TakeList, folder: Path) -> None:
    for path in folder.glob("run_*.npz"):
        path.write_bytes(b"PK and nothing else")
    takes.refresh()
    takes.select("run")
    chosen: list[object] = []
    takes.chosen.connect(chosen.append)
    takes.play()
    assert not chosen
    assert [name for name, act in takes._acts.items() if act.isEnabled()] == ["rename", "folder", "delete"]
    assert "cannot be read" in takes.view.currentIndex().data(Qt.ItemDataRole.AccessibleTextRole)
    takes.grab()


def test_files_are_shown_and_exports_asked_for(takes: TakeList) -> None:
    asked: list[object] = []
    takes.export_asked.connect(asked.append)
    takes.select("walk")
    for action in takes.menu().actions():
        if action.text() in ("Export …", "Show in folder"):
            action.trigger()
    assert [recording.name for recording in asked] == ["walk"]
    assert takes.shown == [takes.current.files[0]]  # type: ignore[attr-defined,union-attr]


@pytest.mark.parametrize(
    ("platform", "program", "first"), [("win32", "explorer.exe", "/select,"), ("darwin", "open", "-R")]
)
def test_the_file_manager_of_each_system(platform: str, program: str, first: str, tmp_path: Path) -> None:
    path = tmp_path / "a b.npz"
    assert command(path, platform) == (program, [first, str(path)])
    assert command(path, "linux") == ("xdg-open", [str(tmp_path)])


def test_the_end_of_the_program_ends_writing_and_removes_what_was_deleted(takes: TakeList, folder: Path) -> None:
    takes.select("run")
    takes.delete()
    assert (folder / ".deleted").is_dir()
    walk = takes.library.find("walk")
    assert walk is not None
    takes.repair(walk, Swap(1, 2), 0.5)
    takes.end()
    assert not takes.is_writing
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in walk.files)


# Export --------------------------------------------------------------------------------------------------------------


def test_exports_bvh_by_a_process_of_its_own(opened: Open, folder: Path, tmp_path: Path) -> None:
    walk = Library(folder).find("walk")
    assert walk is not None
    shown: list[Path] = []
    dialog = ExportDialog(walk, (0.5, 1.0), tmp_path / "for Blender", show=lambda path: not shown.append(path))
    opened(dialog)
    for suffix, box in dialog.formats.items():
        box.setChecked(suffix == ".bvh")
    dialog.rate.setCurrentIndex(dialog.rate.findData("60"))
    dialog.start_button.click()
    assert dialog.is_running
    assert not dialog.preset.isEnabled()
    wait_for(lambda: not dialog.is_running)
    wait_for(dialog.show_button.isVisible)
    assert dialog.told.text() == "Wrote 2 files."
    assert (dialog.bar.value(), dialog.bar.maximum()) == (2, 2)
    written = sorted(path.name for path in (tmp_path / "for Blender").iterdir())
    assert written == ["walk_person1.bvh", "walk_person2.bvh"]
    take = read_take(tmp_path / "for Blender" / "walk_person1.bvh")
    assert len(take) == 31
    dialog.show_button.click()
    assert shown == [tmp_path / "for Blender" / "walk_person1.bvh"]


def test_what_cannot_be_written_is_said_in_words(opened: Open, folder: Path, tmp_path: Path) -> None:
    walk = Library(folder).find("walk")
    assert walk is not None
    (tmp_path / "file").write_text("no folder")
    dialog = ExportDialog(walk, folder=tmp_path / "file")
    opened(dialog)
    dialog.start()
    wait_for(lambda: not dialog.is_running and "Nothing" in dialog.told.text())
    assert "expected a writable folder; choose another" in dialog.told.text()
    for box in dialog.formats.values():
        box.setChecked(False)
    dialog.start()
    assert dialog.told.text() == "Choose at least one format."


def test_an_export_is_cancelled_at_once(opened: Open, folder: Path, tmp_path: Path) -> None:
    walk = Library(folder).find("walk")
    assert walk is not None
    dialog = ExportDialog(walk, folder=tmp_path / "out")
    opened(dialog)
    dialog.start()
    wait_for(lambda: dialog._child.is_running)
    dialog.cancel_button.click()
    wait_for(lambda: not dialog.is_running)
    assert dialog.told.text().startswith("Cancelled.")
    assert not list((tmp_path / "out").glob("*"))


def test_closing_ends_what_is_running(opened: Open, folder: Path, tmp_path: Path) -> None:
    walk = Library(folder).find("walk")
    assert walk is not None
    dialog = ExportDialog(walk, folder=tmp_path / "out")
    opened(dialog)
    dialog.start()
    assert dialog.is_running
    dialog.close()
    assert not dialog.is_running
    dialog.show()
    dialog.start()
    wait_for(dialog.show_button.isVisible)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["walk.fbx"]


def test_presets_choose_formats_and_rates_grey_what_keeps_its_own(opened: Open, folder: Path) -> None:
    run = Library(folder).find("run")
    assert run is not None
    dialog = ExportDialog(run)
    opened(dialog)
    assert [s for s, box in dialog.formats.items() if box.isChecked()] == [".fbx"]
    assert not dialog.span.isVisible()
    dialog.preset.setCurrentIndex(dialog.preset.findData("cmu"))
    assert dialog.choices.suffixes == (".bvh",)
    dialog.formats[".npz"].setChecked(True)
    dialog.rate.setCurrentIndex(1)
    assert dialog.choices.suffixes == (".bvh",)
    assert not dialog.formats[".npz"].isEnabled()


def test_choices_become_the_words_of_the_command(folder: Path) -> None:
    walk = Library(folder).find("walk")
    assert walk is not None
    words = arguments(walk, Choices((".bvh", ".fbx"), Path("out"), "unity", "29.97", None, 2.0, False, True))
    files = [str(folder / f"walk_person{n}.npz") for n in (1, 2)]
    assert words == [
        "export", *files, "--to", "bvh", "--to", "fbx", "--output", "out", "--preset", "unity", "--fps", "29.97",
        "--trim=:2.000000", "--no-mesh", "--together", "--progress",
    ]  # fmt: skip


def test_answers_of_the_command_are_understood() -> None:
    answer = Answer()
    for line in (
        "mocap-app: a .bvh file holds one performer",
        'progress {"done": 1, "total": 2, "file": "/x/a.bvh", "error": ""}',
        'progress {"done": 2, "total": 2, "file": "/x/a.fbx", "error": "the disk is full"}',
        "progress {broken",
        "mocap-app: error: 1 of 2 files could not be written: /x/a.fbx: the disk is full",
    ):
        answer.hear(line)
    assert (answer.done, answer.total, answer.files) == (2, 2, (Path("/x/a.bvh"),))
    assert answer.conclusion(2) == "Wrote 1 file, but not all:\na.fbx: the disk is full"
    assert Answer().conclusion(-1) == "Nothing was written.\nthe program ended with code -1"


# People --------------------------------------------------------------------------------------------------------------


def test_chips_follow_a_running_session_and_wishes_go_back(opened: Open) -> None:
    panel = PeoplePanel()
    opened(panel)
    newest: list[tuple[list[int], list[float]]] = []

    class Watch:
        keep = "latest"

        def write(self, result: object) -> None:
            tracks = result.tracks  # type: ignore[attr-defined]
            newest.append((tracks.track_ids.tolist(), tracks.scores.tolist()))

        def close(self) -> None: ...

    source = Walkers(10_000, step=lambda index: source._closing.wait(0.01), is_live=True)
    session = session_of(source, [lambda context: Watch()])  # type: ignore[list-item, return-value]
    panel.wished.connect(session.ask)
    session.start()

    def look() -> list[int]:
        if newest:
            panel.show_tracks(*newest[-1])
        return [chip.number for chip in panel.chips]

    try:
        wait_for(lambda: look() == [1, 2])
        assert not panel.empty.isVisible()
        panel.chips[1].pin.click()
        assert [chip.number for chip in panel.chips] == [2, 1]
        wait_for(lambda: newest[-1][0] == [2, 1])
        assert look() == [2, 1]
        assert panel.chips[0].accessibleName() == "Actor 2, 100%"
        merge = next(a for a in panel.chips[1].menu().actions() if a.text() == "This is person 2: merge")
        merge.trigger()
        wait_for(lambda: 2 in newest[-1][0] and 1 not in newest[-1][0])
    finally:
        session.stop()
        session.join()


def test_who_leaves_is_listed_for_a_moment_and_an_actor_for_good(opened: Open, hands: Clock) -> None:
    panel = PeoplePanel(hands)
    opened(panel)
    wishes: list[object] = []
    panel.wished.connect(wishes.append)
    panel.show_tracks([1, 2], [0.9, 0.8])
    panel.chips[0].pin.click()
    assert wishes == [Pin(1)]
    hands.now += 1.0
    panel.show_tracks([], [])
    assert [chip.told.text() for chip in panel.chips] == ["out of view"] * 2
    hands.now += 1.0
    panel.show_tracks([], [])
    assert [chip.number for chip in panel.chips] == [1]
    panel.chips[0].pin.click()
    panel.show_tracks([], [])
    assert panel.chips == ()
    assert panel.empty.isVisible()
    assert wishes == [Pin(1), Pin(1, is_pinned=False)]


def test_people_of_a_take_are_swapped_and_merged_but_not_pinned(opened: Open, folder: Path) -> None:
    panel = PeoplePanel()
    opened(panel)
    wishes: list[object] = []
    panel.wished.connect(wishes.append)
    panel.show_recording(Library(folder).find("walk"))
    assert [(chip.told.text(), chip.pin.isVisible()) for chip in panel.chips] == [("there for 2.0 s", False)] * 2
    for action in panel.chips[0].menu().actions():
        action.trigger()
    assert wishes == [Swap(1, 2), Merge(1, 2)]
    panel.show_tracks([5], [0.5])
    assert [chip.number for chip in panel.chips] == [5]
    panel.show_recording(None)
    assert panel.empty.isVisible()


# All of them ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("glyph", GLYPHS)
def test_each_sign_is_drawn_and_follows_the_palette(application: QApplication, glyph: str) -> None:
    button = GlyphButton(glyph, "Name", "What it does.")
    seen = []
    for color in ("#ff0000", "#00ff00"):
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.ButtonText, QColor(color))
        button.setPalette(palette)
        seen.append({QColor(rgb).name() for rgb in colors_of(button.icon().pixmap(20, 20).toImage())})
    assert "#ff0000" in seen[0]
    assert "#ff0000" not in seen[1]
    assert "#00ff00" in seen[1]


def test_every_control_has_a_name_and_a_tooltip_and_is_reached_by_tab(
    timeline: Timeline, takes: TakeList, opened: Open, folder: Path
) -> None:
    panel = PeoplePanel()
    panel.show_tracks([1, 2], [1.0, 1.0])
    walk = Library(folder).find("walk")
    assert walk is not None
    for widget in (timeline, takes, panel, ExportDialog(walk, (0.0, 1.0))):
        buttons = widget.findChildren(QAbstractButton)
        assert buttons
        for button in buttons:
            assert button.accessibleName() or button.text(), button
            assert button.toolTip(), button.text()
            assert button.focusPolicy() & Qt.FocusPolicy.TabFocus, button.toolTip()


def test_times_and_days_in_words(folder: Path) -> None:
    assert [clock(s) for s in (0, 59.6, 61, 3725)] == ["0:00", "1:00", "1:01", "1:02:05"]
    assert [clock(s, 2) for s in (0.999, 59.999, 5.25)] == ["0:01.00", "1:00.00", "0:05.25"]
    now = datetime(2026, 3, 10, 9, 30)
    assert day(now - timedelta(hours=1), now) == "Today 08:30"
    assert day(now - timedelta(hours=12), now) == "Yesterday 21:30"
    assert day(datetime(2026, 1, 5, 8, 0), now) == "05 Jan 08:00"
    assert day(datetime(2024, 1, 5, 8, 0), now) == "05 Jan 2024"
    walk = Library(folder).find("walk")
    assert walk is not None
    assert summary(walk) == "2 people  ·  npz, bvh"
