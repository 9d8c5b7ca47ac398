"""The takes that are written: one of known numbers, and real ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engines.body.parameters import load_body, rest_joints
from exporters import SkinnedMesh, Take, read_take, skeleton_from_rest_joints
from exporters.rotations import multiply, quaternion_from_rotvec
from mocap_app.export.surfaces import surface_of_take
from mocap_app.motion.retarget import SOLE_BELOW_JOINTS_M
from mocap_app.motion.surface import surface_of

COUNT, FPS = 121, 30


@dataclass(frozen=True)
class Performer:
    """A take, and the surface of its body where it is known."""

    take: Take
    mesh: SkinnedMesh | None


def analytic_performer() -> Performer:
    """Return the free body: it turns by more than a full turn and takes its joints through gimbal-prone places."""
    body = load_body()
    joints_m = rest_joints(body)
    floor_y_m = float(joints_m[:, 1].min()) - SOLE_BELOW_JOINTS_M
    skeleton = skeleton_from_rest_joints(joints_m, body.parents, body.joint_names, body.name, floor_y_m)
    s = np.linspace(0.0, 1.0, COUNT)
    places = skeleton.offsets[0] + np.stack([1.5 * s, 0.1 * np.sin(9 * s), -0.8 * s * s], axis=1)
    times = np.round(np.arange(COUNT) * 1e9 / FPS).astype(np.int64)
    take = Take(
        skeleton, _rotations(skeleton.joint_names, s), places.astype(np.float32), times, name="analytic",
        metadata={"source_fps": FPS},
    )  # fmt: skip
    return Performer(take, surface_of(body, skeleton, np.zeros(0, np.float32)))


def _rotations(names: Sequence[str], s: np.ndarray) -> np.ndarray:
    """Return `(T, J, 4)` at the parts `s` of the whole time."""
    turns = {
        "pelvis": _after(_turn((0, 1, 0), 800 * s), _turn((1, 0, 0.3), 100 * np.sin(5 * s))),
        "spine1": _turn((0.2, 1, 0), -400 * s),
        "neck": _turn((0, 1, 0), 50 * np.sin(8 * s)),
        # Past the pole of every order of three angles: the middle one comes to 90 degrees and goes on.
        "left_shoulder": _after(_turn((0, 0, 1), -200 * s), _turn((1, 0, 0), 190 * s)),
        "right_shoulder": _after(_turn((1, 0, 0), -200 * s), _turn((0, 1, 0), 190 * s)),
        "left_elbow": _turn((0, 1, 0), -140 * s),
        "right_elbow": _after(_turn((0, 1, 0), 130 * s), _turn((0, 0, 1), 95 * s)),
        "left_hip": _turn((1, 0, 0), 110 * np.sin(7 * s)),
        "right_hip": _turn((1, 0.1, 0), -110 * np.sin(7 * s)),
        "left_knee": _turn((1, 0, 0), 130 * np.abs(np.sin(6 * s))),
        "right_ankle": _turn((1, 0, 1), 40 * np.sin(11 * s)),
    }
    still = np.tile((1.0, 0.0, 0.0, 0.0), (len(s), 1))
    return np.stack([turns.get(name, still) for name in names], axis=1).astype(np.float32)


def _turn(axis: tuple[float, float, float], degrees: np.ndarray) -> np.ndarray:
    return quaternion_from_rotvec(np.radians(degrees)[:, None] * np.array(axis) / np.linalg.norm(axis))


def _after(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    return multiply(first, then)


def performers_of(takes: Sequence[Path], videos: Sequence[Path], folder: Path, seconds: float) -> Iterator[Performer]:
    """Yield the analytic performer, those of native takes, and the first one of each video.

    The takes are renamed by number: a file's name is nobody's concern, and readers differ in what they make of it.
    """
    yield analytic_performer()
    captured = [_captured(video, folder / f"video{n}", seconds) for n, video in enumerate(videos)]
    for number, path in enumerate([*takes, *captured], 1):
        take = read_take(path)
        yield Performer(replace(take, name=f"take{number}"), surface_of_take(take))


def _captured(video: Path, folder: Path, seconds: float) -> Path:
    """Run the application on the beginning of a video and return the longest take.

    Raises:
        RuntimeError: it failed, or nobody was found.
    """
    command = [sys.executable, "-m", "mocap_app", "--video", str(video), "--headless", "--quiet"]
    command += ["--output", str(folder), "--set", f"capture.duration_s={seconds}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[2], check=False)
    found = sorted(folder.glob("*.npz"), key=lambda path: len(read_take(path)))
    if done.returncode or not found:
        raise RuntimeError(f"{video.name}: found no take, expected one of a performer: {done.stderr.strip()[-300:]}")
    return found[-1]
