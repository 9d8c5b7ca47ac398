"""Recordings of a folder: listed, renamed, put away, cut, repaired, and every change taken back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from sink_material import context_of, result_of
from take_material import record

from exporters.files import read_take, write_take
from exporters.kinematics import forward_kinematics
from exporters.takes import moved_in_time, trimmed
from mocap_app.cli import run
from mocap_app.errors import SinkError
from mocap_app.library import Library, Recording, glance, scan
from mocap_app.library.repair import merged
from mocap_app.sinks import TakeRecorder


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one recording of two people, two seconds long."""
    return record(tmp_path_factory.mktemp("recorded"), formats=("npz", "bvh"))


@pytest.fixture
def folder(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "takes"))


@pytest.fixture
def library(folder: Path) -> Library:
    return Library(folder)


def only(library: Library) -> Recording:
    (recording,) = library.recordings()
    return recording


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


WALK = ["walk_person1.bvh", "walk_person1.npz", "walk_person2.bvh", "walk_person2.npz"]


# Listing -------------------------------------------------------------------------------------------------------------


def test_a_recording_is_all_files_of_one_stem(library: Library, folder: Path) -> None:
    for name in ("walk.mp4", "walk.png", "walk.fbx", "walk_person1_2.glb", "other.png", "notes.txt", "film.mp4"):
        (folder / name).write_bytes(b"x")
    walk = only(library)
    assert (walk.name, walk.duration_s, walk.fps) == ("walk", pytest.approx(59 / 30), pytest.approx(30))
    assert sorted(path.name for path in walk.files) == sorted(
        [*WALK, "walk.fbx", "walk.mp4", "walk.png", "walk_person1_2.glb"]
    )
    assert walk.formats == ("npz", "bvh", "fbx", "glb")
    assert (walk.video, walk.thumbnail) == (folder / "walk.mp4", folder / "walk.png")
    assert [(p.number, p.path.name, p.frames) for p in walk.people] == [
        (1, "walk_person1.npz", 60),
        (2, "walk_person2.npz", 60),
    ]
    assert walk.presence_s == {n: ((0.0, pytest.approx(59 / 30)),) for n in (1, 2)}
    told = read_take(folder / "walk_person1.npz").metadata["recorded_at"]
    assert walk.recorded_at.isoformat(timespec="seconds") == told
    assert walk.fault == ""


def test_listing_reads_no_motion(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "walk_person1.npz"
    with np.load(path) as arrays:
        small = {key: arrays[key] for key in arrays.files}
    monkeypatch.setattr(np, "load", None)
    assert scan(folder)[0].people[0].frames == len(small["timestamps_ns"])


def test_the_newest_comes_first_and_a_bvh_alone_is_a_recording(library: Library, folder: Path) -> None:
    shutil.copy(folder / "walk_person1.bvh", folder / "import.bvh")
    first, second = library.recordings()
    assert (first.name, first.duration_s) == ("import", pytest.approx(59 / 30, abs=1e-3))
    assert second.name == "walk"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda data: data[: len(data) // 2], "not a zip file"),
        (lambda data: b"", "not a zip file"),
        (lambda data: data.replace(b"timestamps_ns", b"timestamqs_ns"), "timestamps_ns"),
    ],
)
def test_a_broken_file_is_listed_with_its_fault(library: Library, folder: Path, damage, told: str) -> None:
    path = folder / "walk_person1.npz"
    path.write_bytes(damage(path.read_bytes()))
    walk = only(library)
    assert walk.fault.startswith("walk_person1.npz: cannot be read (")
    assert told in walk.fault
    assert [p.number for p in walk.readable] == [2]
    with pytest.raises(SinkError, match="cannot be read"):
        library.trim(walk, 0.5, 1.0)


def test_what_is_being_recorded_is_left_alone(library: Library, folder: Path) -> None:
    (folder / "walk_person3.journal").write_bytes(b"{}\n")
    (folder / "new_person1.journal").write_bytes(b"{}\n")
    walk, new = library.find("walk"), library.find("new")
    assert walk is not None
    assert new is not None
    assert "take recover" in new.fault
    for change in (
        lambda: library.rename(walk, "x"),
        lambda: library.delete(walk),
        lambda: library.trim(new, None, 1.0),
    ):
        with pytest.raises(SinkError, match="found a journal"):
            change()


def test_a_recording_that_grows_stays_the_same_in_the_list(folder: Path) -> None:
    context = context_of("new")
    recorder = TakeRecorder(folder, ("npz",), context)
    for index in range(10):
        recorder.write(result_of(index, 1))
    before = scan(folder)
    assert before[0].name == "new"
    for index in range(10, 40):
        recorder.write(result_of(index, 1))
    os.utime(folder / "new_person1.journal", (2e9, 2e9))
    assert scan(folder) == before
    recorder.close()
    assert scan(folder)[0].people[0].frames == 40


def test_no_folder_and_an_empty_one_hold_nothing(tmp_path: Path) -> None:
    assert Library(tmp_path).recordings() == Library(tmp_path / "absent").recordings() == ()


def test_a_glance_shows_the_middle_of_a_recording(library: Library, folder: Path) -> None:
    seen = glance(only(library))
    assert [pose.number for pose in seen] == [1, 2]
    take = read_take(folder / "walk_person2.npz")
    expected = forward_kinematics(take.skeleton, take.rotations_wxyz[30], take.root_translation[30])
    np.testing.assert_allclose(seen[1].joints_m, expected, atol=1e-6)
    assert seen[1].parents.tolist() == take.skeleton.parents.tolist()
    assert take.skeleton.joint_names[seen[1].head] == "head"
    for path in folder.glob("*.npz"):
        path.unlink()
    bvh = read_take(folder / "walk_person2.bvh")
    expected = forward_kinematics(bvh.skeleton, bvh.rotations_wxyz[30], bvh.root_translation[30])
    np.testing.assert_allclose(glance(only(library))[1].joints_m, expected, atol=1e-6)
    for path in folder.glob("*.bvh"):
        path.write_text("MOTION\nFrames: 60\nFrame Time: 0.03\nnothing")
    assert glance(only(library)) == ()


# Names ---------------------------------------------------------------------------------------------------------------


def test_renaming_takes_all_files_along_and_is_undone(library: Library, folder: Path) -> None:
    (folder / "walk.mp4").write_bytes(b"x")
    before = names(folder)
    assert library.rename(only(library), " Jump & run ") == "Jump & run"
    assert names(folder) == sorted(name.replace("walk", "Jump & run") for name in before)
    assert only(library).name == "Jump & run"
    assert library.undoable == "rename to Jump & run"
    assert library.undo() == "rename to Jump & run"
    assert names(folder) == before


@pytest.mark.parametrize(
    "name",
    ["", "  ", "a/b", "a\\b", "a:b", "what?", "CON", "nul.old", "com1", "LPT¹", "x.", ".x", "a\nb", "x" * 101,
     "x_person1", "ж" * 101, "<3"],
)  # fmt: skip
def test_impossible_names_are_refused_everywhere(library: Library, folder: Path, name: str) -> None:
    with pytest.raises(SinkError):
        library.rename(only(library), name)
    assert names(folder) == WALK
    assert library.undoable == ""


@pytest.mark.parametrize("name", ["run", "RUN"])
def test_taken_names_are_refused(library: Library, folder: Path, name: str) -> None:
    shutil.copy(folder / "walk_person1.npz", folder / "run_person1.npz")
    walk = library.find("walk")
    assert walk is not None
    with pytest.raises(SinkError, match="already"):
        library.rename(walk, name)
    assert library.rename(walk, "Walk") == "Walk"


def test_a_failing_move_leaves_all_files_where_they_were(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def locked(start: Path, end: Path) -> None:
        if Path(start).name == "walk_person2.bvh":
            raise PermissionError(13, "in use")
        rename(start, end)

    monkeypatch.setattr(os, "rename", locked)
    with pytest.raises(SinkError, match=r"walk_person2\.bvh: cannot be moved \(in use\)"):
        library.rename(only(library), "run")
    assert names(folder) == WALK


# Putting away --------------------------------------------------------------------------------------------------------


def test_deleted_recordings_come_back_until_emptied(library: Library, folder: Path) -> None:
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    library.delete(only(library))
    assert library.recordings() == ()
    assert names(folder) == []
    assert library.undo() == "delete walk"
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == contents
    library.delete(only(library))
    library.empty()
    assert list(folder.iterdir()) == []
    assert library.undoable == ""
    with pytest.raises(SinkError, match="nothing to undo"):
        library.undo()


def test_what_another_program_removed_is_said_to_be_gone(library: Library, folder: Path) -> None:
    library.delete(only(library))
    shutil.rmtree(folder / ".deleted")
    with pytest.raises(SinkError, match="is not there any more"):
        library.undo()
    assert library.undoable == ""


def test_the_same_name_may_be_deleted_twice_and_a_taken_one_does_not_come_back(library: Library, folder: Path) -> None:
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy)
    library.delete(only(library))
    shutil.copytree(copy, folder, dirs_exist_ok=True)
    library.delete(only(library))
    shutil.copytree(copy, folder, dirs_exist_ok=True)
    with pytest.raises(SinkError, match="is there already"):
        library.undo()
    library.rename(only(library), "third")
    library.undo()
    shutil.rmtree(copy)
    for path in list(folder.glob("walk*")):
        path.unlink()
    library.undo()
    assert names(folder) == WALK


# Cutting and repairing -----------------------------------------------------------------------------------------------


def test_a_trim_is_a_new_recording_of_everybody(library: Library, folder: Path) -> None:
    name = library.trim(only(library), 0.5, 1.0)
    cut = library.find(name)
    assert (name, cut and cut.duration_s) == ("walk_trim", pytest.approx(0.5))
    assert sorted(names(folder)) == sorted([*WALK, "walk_trim_person1.npz", "walk_trim_person2.npz"])
    whole, part = (read_take(folder / f"{stem}_person2.npz") for stem in ("walk", "walk_trim"))
    assert part.timestamps_ns.tolist() == whole.timestamps_ns[15:31].tolist()
    np.testing.assert_array_equal(part.rotations_wxyz, whole.rotations_wxyz[15:31])
    assert (part.name, part.metadata["made_by"]) == ("walk_trim_person2", "trim of walk")
    walk = library.find("walk")
    assert walk is not None
    assert library.trim(walk, None, 1.0) == "walk_trim_2"
    library.undo()
    library.undo()
    assert names(folder) == WALK


def test_nothing_to_keep_is_refused(library: Library, folder: Path) -> None:
    with pytest.raises(SinkError, match=r"from 5\.00 to 6\.00 s"):
        library.trim(only(library), 5.0, 6.0)
    assert names(folder) == WALK


def test_people_are_swapped_from_an_instant_on(library: Library, folder: Path) -> None:
    name = library.swap(only(library), 1, 2, at_s=1.0)
    before = [read_take(folder / f"walk_person{n}.npz") for n in (1, 2)]
    after = [read_take(folder / f"{name}_person{n}.npz") for n in (1, 2)]
    for n in range(2):
        own, other, new = before[n], before[1 - n], after[n]
        np.testing.assert_array_equal(new.root_translation[:30], own.root_translation[:30])
        np.testing.assert_array_equal(new.root_translation[30:], other.root_translation[30:])
        assert new.observations is not None
        assert other.observations is not None
        np.testing.assert_array_equal(new.observations.box_xyxy[30:], other.observations.box_xyxy[30:])
        np.testing.assert_array_equal(new.skeleton.offsets, own.skeleton.offsets)
    swapped = library.find(name)
    assert swapped is not None
    twice = library.swap(swapped, 2, 1, at_s=1.0)
    for n in (1, 2):
        np.testing.assert_array_equal(
            read_take(folder / f"{twice}_person{n}.npz").rotations_wxyz, before[n - 1].rotations_wxyz
        )


def test_somebody_who_came_back_is_merged(library: Library, folder: Path) -> None:
    walk = only(library)
    first, second = library.trim(walk, None, 0.8), library.trim(walk, 1.2, None)
    # Person 1 until 0.8 s, and again, as person 3, from 1.2 s.
    (folder / f"{second}_person1.npz").rename(folder / f"{first}_person3.npz")
    broken = library.find(first)
    assert broken is not None
    mended = library.find(library.merge(broken, 3, 1))
    assert mended is not None
    assert [p.number for p in mended.people] == [1, 2]
    whole, found = read_take(folder / "walk_person1.npz"), read_take(mended.people[0].path)
    kept = [*range(25), *range(36, 60)]
    assert mended.presence_s[1] == ((0.0, pytest.approx(0.8)), (pytest.approx(1.2), pytest.approx(59 / 30)))
    np.testing.assert_array_equal(found.timestamps_ns, whole.timestamps_ns[kept])
    np.testing.assert_array_equal(found.rotations_wxyz, whole.rotations_wxyz[kept])


def test_where_both_are_there_the_one_who_stays_counts(library: Library, folder: Path) -> None:
    name = library.merge(only(library), 2, 1)
    np.testing.assert_array_equal(
        read_take(folder / f"{name}_person1.npz").root_translation,
        read_take(folder / "walk_person1.npz").root_translation,
    )
    assert not (folder / f"{name}_person2.npz").exists()


def test_what_lies_between_two_instants_is_not_squeezed_in(folder: Path) -> None:
    take = read_take(folder / "walk_person1.npz")
    shifted = moved_in_time(read_take(folder / "walk_person2.npz"), 1_000_000)
    assert len(merged(take, shifted)) == len(take)
    late = moved_in_time(shifted, 10_000_000_000)
    assert len(merged(take, late)) == 2 * len(take)


def test_a_trim_counts_from_the_recordings_beginning_for_everybody(library: Library, folder: Path) -> None:
    path = folder / "walk_person2.npz"
    write_take(trimmed(read_take(path), 1.0), path)
    name = library.trim(only(library), 0.5, 1.5)
    first, second = (read_take(folder / f"{name}_person{n}.npz") for n in (1, 2))
    assert (len(first), len(second)) == (31, 16)
    assert first.timestamps_ns[15:].tolist() == second.timestamps_ns.tolist()
    alone = library.find(library.trim(only_named(library, "walk"), None, 0.5))
    assert alone is not None
    assert [person.number for person in alone.people] == [1]


def only_named(library: Library, name: str) -> Recording:
    found = library.find(name)
    assert found is not None
    return found


def test_people_who_are_not_there_are_refused(library: Library, folder: Path) -> None:
    for a, b in ((1, 3), (2, 2)):
        with pytest.raises(SinkError, match="found persons 1, 2"):
            library.swap(only(library), a, b)
        with pytest.raises(SinkError, match="found persons 1, 2"):
            library.merge(only(library), a, b)
    assert names(folder) == WALK


# The command ---------------------------------------------------------------------------------------------------------


def test_the_command_trims_swaps_and_merges(library: Library, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> str:
        assert run(["take", *words, "--quiet"]) == 0
        return Path(capsys.readouterr().out.strip()).name

    path = str(folder / "walk")
    assert said("trim", path, "--span", "0.5:1") == "walk_trim"
    assert said("swap", path, "--people", "1", "2", "--at", "0.5") == "walk_swap"
    assert said("merge", path, "--people", "2", "1") == "walk_merge"
    cut, mended = library.find("walk_trim"), library.find("walk_merge")
    assert cut is not None
    assert mended is not None
    assert (cut.duration_s, len(mended.people)) == (pytest.approx(0.5), 1)
    library.adopt("walk_trim", "trim walk")
    assert library.undo() == "trim walk"
    assert library.find("walk_trim") is None


def test_the_command_says_what_is_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["take", "trim", str(folder / "waltz")]) == 2
    assert "found no such recording, expected a folder and one of its names: walk" in capsys.readouterr().err
    assert run(["take", "swap", str(folder / "walk")]) == 2
    assert "add --people 1 2" in capsys.readouterr().err
