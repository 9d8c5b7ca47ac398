"""Takes on disk: complete, numbered, standing on the floor, and still there after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sink_material import PELVIS_M, STEP_NS, context_of, result_of, skeleton_of

from engines.body.parameters import load_body, rest_joints
from exporters import MissingExtraError, files
from exporters.files import read_take
from exporters.journal import read_journal
from exporters.skeletons import skeleton_from_rest_joints
from exporters.types import FloatArray, Skeleton
from mocap_app.errors import SinkError
from mocap_app.sinks import TakeRecorder, recover
from mocap_app.sinks.ground import lowest_soles_m

HERE = Path(__file__).resolve().parent


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def age(folder: Path) -> None:
    """Make every file look as if nothing had written to it lately."""
    for file in folder.iterdir():
        os.utime(file, (time.time() - 60,) * 2)


def test_one_take_per_performer_in_order_of_appearance(tmp_path: Path) -> None:
    recorder = TakeRecorder(tmp_path / "new" / "takes", ("npz", "bvh"), context_of(), {"engine": "synthetic"})
    for index in range(30):
        recorder.write(result_of(index, *((7, 3) if index >= 10 else (7,))))
    recorder.close()
    recorder.close()
    folder = tmp_path / "new" / "takes"
    assert names_in(folder) == [f"walk_person{k}.{suffix}" for k in (1, 2) for suffix in ("bvh", "npz")]
    assert len(recorder.written) == 4
    first, second = (read_take(folder / f"walk_person{k}.npz") for k in (1, 2))
    assert (len(first), len(second)) == (30, 20)
    assert (first.subject, second.subject) == (1, 2)
    assert first.timestamps_ns.tolist() == [k * STEP_NS for k in range(30)]
    assert first.observations is not None
    assert first.observations.frame_index.tolist() == list(range(30))
    assert first.observations.joints_camera_m[0, 0].tolist() == [7, 0, 5]
    assert second.root_translation[0, 0] == 3
    assert first.metadata["engine"] == "synthetic"
    assert (first.metadata["source"], first.metadata["source_fps"]) == ("walk", 25.0)
    assert "formats" not in first.metadata
    assert read_take(folder / "walk_person1.bvh").rotations_wxyz.shape[0] == 30


def test_the_take_stands_on_the_floor_by_one_constant(tmp_path: Path) -> None:
    recorder = TakeRecorder(tmp_path, ("npz",), context_of())
    jump = [1.5 + 0.4 * max(0.0, np.sin(k / 5)) for k in range(60)]
    for index, height_m in enumerate(jump):
        recorder.write(result_of(index, 1, root_y_m=height_m))
    recorder.close()
    take = read_take(tmp_path / "walk_person1.npz")
    moved_m = take.root_translation[:, 1] - np.array(jump)
    assert np.ptp(moved_m) < 1e-6
    assert take.root_translation[:, 1].min() == pytest.approx(PELVIS_M, abs=0.005)
    soles_m = lowest_soles_m(take.skeleton, take.rotations_wxyz, take.root_translation)
    assert np.percentile(soles_m, 2) == pytest.approx(0, abs=1e-5)


def test_an_estimate_of_the_floor_that_moves_moves_nobody_in_the_take(tmp_path: Path) -> None:
    recorder = TakeRecorder(tmp_path, ("npz",), context_of())
    for index in range(60):
        floor_y_m = -0.9 - 0.01 * index  # sinks: live, whoever stands still seems to rise
        recorder.write(result_of(index, 1, root_y_m=0.1 - floor_y_m, floor_y_m=floor_y_m))
    recorder.close()
    take = read_take(tmp_path / "walk_person1.npz")
    assert np.ptp(take.root_translation[:, 1]) < 1e-5
    assert take.root_translation[0, 1] == pytest.approx(PELVIS_M, abs=0.005)


def test_betas_are_the_mean_weighted_by_confidence(tmp_path: Path) -> None:
    recorder = TakeRecorder(tmp_path, ("npz",), context_of())
    for index in range(20):
        seen_well = index % 2 == 0
        recorder.write(result_of(index, 1, betas=1.0 if seen_well else 5.0, confidence=0.9 if seen_well else 0.1))
    recorder.close()
    take = read_take(tmp_path / "walk_person1.npz")
    assert take.observations is not None
    assert take.observations.betas[0] == pytest.approx(1.4, abs=1e-5)
    assert take.skeleton.offsets == pytest.approx(skeleton_of(take.observations.betas).offsets)


def test_short_tracks_are_left_out_unless_there_is_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    recorder = TakeRecorder(tmp_path, ("npz",), context_of())
    for index in range(20):
        recorder.write(result_of(index, *((2, 1) if index < 4 else (1,))))
    recorder.close()
    assert names_in(tmp_path) == ["walk_person1.npz"]
    assert len(read_take(tmp_path / "walk_person1.npz")) == 20
    assert "1 track(s)" in caplog.text
    only = TakeRecorder(tmp_path / "only", ("npz",), context_of())
    for index in range(3):
        only.write(result_of(index, *((9, 8) if index < 2 else (9,))))
    only.close()
    assert names_in(tmp_path / "only") == ["walk_person1.npz"]
    assert len(read_take(tmp_path / "only" / "walk_person1.npz")) == 3


def test_older_takes_are_never_replaced(tmp_path: Path) -> None:
    for _ in range(3):
        recorder = TakeRecorder(tmp_path, ("npz",), context_of("[x] a.b"))
        for index in range(10):
            recorder.write(result_of(index, 1))
        recorder.close()
    assert names_in(tmp_path) == ["[x] a.b_2_person1.npz", "[x] a.b_3_person1.npz", "[x] a.b_person1.npz"]


def test_nobody_and_the_unbelievable_are_not_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recorder = TakeRecorder(tmp_path, ("npz",), context_of())
    for index in range(10):
        recorder.write(result_of(index))
        recorder.write(result_of(index, 1, scores=[0.0]))
        bad = result_of(index, 2)
        pose = replace(bad.poses[0], root_translation=np.full(3, np.nan, np.float32))
        recorder.write(replace(bad, poses=(pose,)))
    recorder.close()
    assert names_in(tmp_path) == []
    assert "nobody was seen" in caplog.text
    assert caplog.text.count("not finite") == 1


def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(SinkError, match="cannot be written to"):
        TakeRecorder(tmp_path / "file" / "takes", ("npz",), context_of())
    with pytest.raises(SinkError, match="format docx: there is no such writer"):
        TakeRecorder(tmp_path, ("npz", "docx"), context_of())


def test_a_format_whose_library_is_absent_is_refused_before_anything_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"mocap-app\[c3d\]"):
        TakeRecorder(tmp_path, ("npz", "c3d"), context_of())
    assert not list(tmp_path.iterdir())


RECORD = """
import sys, time
sys.path[:0] = [{here!r}, {root!r}]
from sink_material import context_of, result_of
from mocap_app.sinks import TakeRecorder
recorder = TakeRecorder({folder!r}, ("npz", "bvh"), context_of())
"""


def start_recording(folder: Path, body: str) -> subprocess.Popen[str]:
    code = RECORD.format(here=str(HERE), root=str(HERE.parents[1]), folder=str(folder)) + body
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_recording_loses_nothing_that_was_written(tmp_path: Path) -> None:
    body = "for index in range(10_000):\n    recorder.write(result_of(index, 1))\n    print(index, flush=True)\n"
    process = start_recording(tmp_path, body)
    assert process.stdout is not None
    last = 0
    for line in process.stdout:
        last = int(line)
        if last >= 60:
            break
    process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    process.communicate(timeout=10)
    assert names_in(tmp_path) == ["walk_person1.journal"]
    age(tmp_path)
    written = recover(tmp_path)
    assert [path.name for path in written] == ["walk_person1.npz", "walk_person1.bvh"]
    assert names_in(tmp_path) == ["walk_person1.bvh", "walk_person1.npz"]
    take = read_take(tmp_path / "walk_person1.npz")
    assert len(take) >= last + 1
    assert take.root_translation[0, 1] == pytest.approx(PELVIS_M, abs=0.005)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes to fill a disk with")
def test_a_full_disk_ends_the_recording_and_keeps_what_there_is(tmp_path: Path) -> None:
    body = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from mocap_app.errors import SinkError
try:
    for index in range(10_000):
        recorder.write(result_of(index, 1))
except SinkError as error:
    print(index, error)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100_000))
try:
    recorder.close()
except SinkError as error:
    print(error)
"""
    out, err = start_recording(tmp_path, body).communicate(timeout=60)
    assert err == ""
    full, unfinished = out.splitlines()
    count = int(full.split()[0])
    assert "recording ends" in full
    assert "cannot be written" in full
    assert "mocap-app take recover" in unfinished
    assert names_in(tmp_path) == ["walk_person1.journal"]
    assert len(read_journal(tmp_path / "walk_person1.journal")) == count > 50
    age(tmp_path)
    recover(tmp_path / "walk_person1.journal")
    assert len(read_take(tmp_path / "walk_person1.npz")) == count


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_format_that_cannot_be_written_leaves_the_native_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_to_full_device(take: object, path: Path) -> None:
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(b"x")

    from exporters import files

    monkeypatch.setitem(files.FORMATS, ".bvh", files.Format("", write_to_full_device))
    recorder = TakeRecorder(tmp_path, ("bvh", "npz"), context_of())
    for index in range(20):
        recorder.write(result_of(index, 1, 2))
    with pytest.raises(SinkError, match="No space left"):
        recorder.close()
    assert names_in(tmp_path) == ["walk_person1.npz", "walk_person2.npz"], "the second performer is finished too"


def test_recover_leaves_alone_what_is_still_written_to(tmp_path: Path) -> None:
    recorder = TakeRecorder(tmp_path, ("npz",), context_of())
    for index in range(10):
        recorder.write(result_of(index, 1))
    with pytest.raises(SinkError, match="was written to just now"):
        recover(tmp_path)
    recorder.close()
    assert names_in(tmp_path) == ["walk_person1.npz"]


def test_recover_keeps_older_takes_and_says_when_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="no journal found"):
        recover(tmp_path)
    with pytest.raises(SinkError, match="no journal found"):
        recover(tmp_path / "absent.journal")
    recorder = TakeRecorder(tmp_path, ("npz",), context_of())
    for index in range(10):
        recorder.write(result_of(index, 1))
    (journal,) = tmp_path.glob("*.journal")
    content = journal.read_bytes()
    recorder.close()
    journal.write_bytes(content[:-10])
    (tmp_path / "damaged.journal").write_bytes(b"nothing")
    age(tmp_path)
    assert [path.name for path in recover(tmp_path)] == ["walk_person1_2.npz"]
    assert len(read_take(tmp_path / "walk_person1_2.npz")) == 9
    assert names_in(tmp_path) == ["damaged.journal", "walk_person1.npz", "walk_person1_2.npz"]


def test_recover_gives_the_bones_of_the_whole_take(tmp_path: Path) -> None:
    """Few instants tell little of somebody's shape; the journal begins with their bones."""
    body = load_body()

    def bones(betas: FloatArray) -> Skeleton:
        joints = rest_joints(body, betas[None])[0]
        floor_y_m = float(joints[:, 1].min()) - 0.025
        return skeleton_from_rest_joints(joints, body.parents, body.joint_names, body.name, floor_y_m=floor_y_m)

    recorder = TakeRecorder(tmp_path, ("npz",), context_of(skeleton=bones))
    for index in range(40):
        recorder.write(result_of(index, 1, betas=2.0 if index < 10 else -1.0))
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    (crashed / "walk_person1.journal").write_bytes((tmp_path / "walk_person1.journal").read_bytes())
    recorder.close()
    age(crashed)
    (path,) = recover(crashed)
    take = read_take(path)
    assert take.observations is not None
    assert take.observations.betas[0] == -1
    assert take.skeleton.offsets == pytest.approx(bones(take.observations.betas).offsets, abs=1e-6)
