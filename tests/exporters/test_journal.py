"""What a crash leaves behind can be read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from exporters import Pose, Take, TakeFileError, TakeJournal, read_journal, read_take

REPOSITORY = Path(__file__).resolve().parents[2]


def pose_of(take: Take, t: int) -> Pose:
    return Pose(take.rotations_wxyz[t], take.root_translation[t], int(take.timestamps_ns[t]), take.subject)


def append(journal: TakeJournal, take: Take, t: int) -> None:
    seen = take.observations
    journal.append(
        pose_of(take, t),
        frame_index=int(seen.frame_index[t]),
        joints_camera_m=seen.joints_camera_m[t],
        joints_px=seen.joints_px[t],
        confidence=seen.confidence[t],
        box_xyxy=seen.box_xyxy[t],
        betas=seen.betas,
    )


@pytest.fixture
def take(make_take) -> Take:
    return make_take(40, observed=True)


@pytest.fixture
def journal_path(take, tmp_path) -> Path:
    path = tmp_path / "walk.journal"
    with TakeJournal(
        path, take.skeleton, take.metadata, intrinsics=take.observations.intrinsics, name="walk"
    ) as journal:
        for t in range(len(take)):
            append(journal, take, t)
    return path


def test_everything_comes_back(take, journal_path):
    found = read_take(journal_path)
    np.testing.assert_array_equal(found.rotations_wxyz, take.rotations_wxyz)
    np.testing.assert_array_equal(found.root_translation, take.root_translation)
    np.testing.assert_array_equal(found.timestamps_ns, take.timestamps_ns)
    np.testing.assert_array_equal(found.skeleton.offsets, take.skeleton.offsets)
    assert (found.name, found.metadata) == ("walk", take.metadata)
    for key in take.observations.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(found.observations, key), getattr(take.observations, key))


def test_a_cut_tail_loses_only_the_cut_record(take, journal_path):
    whole = journal_path.read_bytes()
    record = (len(whole) - whole.index(b"\n") - 1) // len(take)
    for missing, left in ((1, 39), (record - 1, 39), (record, 39), (record + 1, 38), (39 * record + 5, 0)):
        journal_path.write_bytes(whole[:-missing])
        found = read_journal(journal_path)
        assert len(found) == left
        np.testing.assert_array_equal(found.rotations_wxyz, take.rotations_wxyz[:left])


def test_a_damaged_record_ends_the_reading(take, journal_path):
    content = bytearray(journal_path.read_bytes())
    record = (len(content) - content.index(b"\n") - 1) // len(take)
    content[-record * 3 + 50] ^= 1
    content += bytes(500)  # zeros, as some file systems leave them after a power cut
    journal_path.write_bytes(content)
    assert len(read_journal(journal_path)) == 37


def test_what_is_no_journal_is_refused(journal_path, tmp_path):
    for content in (b"", b"hello", b'{"format": "other"}\n', journal_path.read_bytes()[:100]):
        path = tmp_path / "bad.journal"
        path.write_bytes(content)
        with pytest.raises(TakeFileError, match="no header of a journal"):
            read_journal(path)
    with pytest.raises(TakeFileError, match="cannot be read"):
        read_journal(tmp_path / "absent.journal")


def test_an_older_journal_is_never_overwritten(take, journal_path):
    with pytest.raises(TakeFileError, match="already there"):
        TakeJournal(journal_path, take.skeleton, {})
    assert len(read_journal(journal_path)) == 40


def test_times_must_rise_and_shapes_fit(take, tmp_path):
    with TakeJournal(tmp_path / "a.journal", take.skeleton, {}) as journal:
        journal.append(pose_of(take, 3))
        with pytest.raises(ValueError, match="rising times"):
            journal.append(pose_of(take, 3))
        with pytest.raises(ValueError, match="joints_px: found shape"):
            journal.append(pose_of(take, 4), joints_px=np.zeros((1, 2), np.float32))
    found = read_journal(tmp_path / "a.journal")
    assert len(found) == 1
    assert found.observations is None


def test_the_disk_is_synced_at_least_once_a_second(take, tmp_path, monkeypatch):
    synced: list[float] = []
    now = 0.0
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(now))
    with TakeJournal(tmp_path / "a.journal", take.skeleton, {}, clock=lambda: now) as journal:
        for t in range(40):
            now = t * 0.1
            journal.append(pose_of(take, t))
    assert len(synced) < 20
    assert np.diff([0.0, *synced, now]).max() <= 1.0


def test_killed_at_any_time_only_the_last_second_is_lost(tmp_path):
    """The real thing: a process that records at 200 instants a second is killed without warning."""
    path = tmp_path / "killed.journal"
    program = textwrap.dedent(
        """
        import sys, time
        import numpy as np
        from exporters import Pose, TakeJournal, skeleton_from_rest_joints
        skeleton = skeleton_from_rest_joints(np.random.default_rng(0).normal(size=(24, 3)))
        rotations = np.tile(np.float32([1, 0, 0, 0]), (24, 1))
        journal = TakeJournal(sys.argv[1], skeleton, {})
        for t in range(100000):
            journal.append(Pose(rotations, np.full(3, t, np.float32), t + 1, 1))
            print(t, flush=True)
            time.sleep(0.005)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if int(line) >= 60:
                break
        process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        said = [int(n) for n in process.stdout.read().split()[:-1]]
    process.wait(10)
    found = read_journal(path)
    assert len(found) >= max([60, *said]) + 1
    np.testing.assert_array_equal(found.root_translation[:, 0], np.arange(len(found)))


def test_disk_that_fills_up_keeps_what_was_written(take, tmp_path):
    """A limit on the size of files stands in for the full disk: the kernel refuses in the same way, mid-record."""
    resource = pytest.importorskip("resource", reason="needs POSIX resource limits")
    path = tmp_path / "full.journal"
    journal = TakeJournal(path, take.skeleton, {})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for t in range(10):
            journal.append(pose_of(take, t))
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 700, before[1]))
        with pytest.raises(TakeFileError, match="cannot be written"):
            journal.append(pose_of(take, 10))
        assert len(read_journal(path)) == 10
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    journal.append(pose_of(take, 11))  # room again: nothing of the cut record is in the way
    journal.close()
    journal.close()
    found = read_journal(path)
    np.testing.assert_array_equal(found.timestamps_ns, take.timestamps_ns[np.r_[0:10, 11]])


def test_appending_is_fast_enough(take, tmp_path):
    with TakeJournal(tmp_path / "a.journal", take.skeleton, {}) as journal:
        start = time.perf_counter()
        for t in range(40):
            append(journal, take, t)
        assert (time.perf_counter() - start) / 40 < 0.01
