"""The solver: bodies of one frame -> poses in the world, smoothed per person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engines.types import BodyModel, FloatArray, MeshResult
from exporters.rotations import normalize
from exporters.skeletons import smpl_name
from exporters.types import Pose, Skeleton

from ..config import MotionConfig, SmoothingConfig
from ..types import Frame, Tracks
from ..wishes import Merge, Smooth, Swap, Wish
from .filters import PlaceFilter, RotationFilter
from .flips import FlipGate
from .retarget import SOLE_BELOW_JOINTS_M, local_rotations, skeleton_of
from .world import Floor, world_from_camera

LONGEST_GAP_NS = 500_000_000
"""Somebody seen again after a longer gap is smoothed from anew."""
FOOT_JOINTS = ("left_ankle", "right_ankle", "left_foot", "right_foot")
CREDIBLE_CONFIDENCE = 0.5
"""Feet seen less surely say little of where the floor is."""


class MotionSolver:
    """Turns recovered bodies into poses. Made and used by one thread; remembers each person and the floor."""

    def __init__(self, body_model: BodyModel, config: MotionConfig) -> None:
        """Hold the body whose results are solved, and the settings."""
        self.body_model = body_model
        self._config = config
        self._axes = world_from_camera(config.camera_pitch_deg)
        self._floor = Floor()
        self._people: dict[int, _Person] = {}
        self._evidence = evidence_weights(body_model.parents)
        names = [smpl_name(name) for name in body_model.joint_names]
        heights = body_model.rest_joints[:, 1] - body_model.rest_joints[:, 1].min() + SOLE_BELOW_JOINTS_M
        self._feet = np.array([names.index(n) for n in FOOT_JOINTS if n in names] or [int(heights.argmin())], np.intp)
        self._foot_heights_m = heights[self._feet]

    @property
    def floor_y_m(self) -> float:
        """Height of the floor relative to the camera, metres (below 0, normally); 0 before anybody was seen."""
        return self._floor.y_m if self._floor.y_m is not None else 0.0

    def skeleton(self, betas: FloatArray) -> Skeleton:
        """Return the bones of a performer of `(S,)` float32 shape numbers."""
        return skeleton_of(self.body_model, betas)

    def solve(self, frame: Frame, tracks: Tracks, meshes: MeshResult, smooth: bool = True) -> tuple[Pose, ...]:
        """Return one pose per row, the subject being the track's number.

        Args:
            frame: Where the bodies were seen; its time stamp drives the filters.
            tracks: N people.
            meshes: N bodies, row for row.
            smooth: False treats the frame as a picture of its own: no filter, no memory, nothing remembered.
        """
        rotations = local_rotations(meshes.global_rotations, self.body_model.parents, self._axes)
        places = meshes.translation.astype(np.float64)
        if smooth and self._config.smoothing.enabled:
            self._smooth(frame, tracks, meshes, rotations, places)
        floor = self._floor if smooth else Floor()
        soles, credible = self._soles(frame, meshes, places)
        floor_y_m = floor.update(soles, credible, frame.timestamp_ns)
        roots = places @ self._axes.T - (0.0, floor_y_m, 0.0)
        return tuple(
            Pose(normalize(rotation).astype(np.float32), root.astype(np.float32), frame.timestamp_ns, int(subject))
            for rotation, root, subject in zip(rotations, roots, tracks.track_ids, strict=True)
        )

    def grant(self, wish: Wish) -> None:
        """Smooth by other settings, or follow a change of numbers, so that nobody glides into another's place."""
        match wish:
            case Smooth(smoothing):
                self._config = replace(self._config, smoothing=smoothing)
                # What is off remembers nothing, so that it begins anew when it is on again.
                self._people = self._people if smoothing.enabled else {}
                for person in self._people.values():
                    person.set_up(smoothing)
            case Swap(a, b):
                turned = {a: b, b: a}
                self._people = {turned.get(n, n): person for n, person in self._people.items()}
            case Merge(a, into):
                moved, known = self._people.pop(a, None), self._people.get(into)
                if moved is not None and (known is None or known.seen_ns < moved.seen_ns):
                    self._people[into] = moved

    def _smooth(
        self, frame: Frame, tracks: Tracks, meshes: MeshResult, rotations: np.ndarray, places: np.ndarray
    ) -> None:
        """Replace each person's rotations and place by the smoothed ones."""
        now_ns = frame.timestamp_ns
        self._people = {n: p for n, p in self._people.items() if 0 <= now_ns - p.seen_ns <= LONGEST_GAP_NS}
        for row, subject in enumerate(tracks.track_ids):
            person = self._people.setdefault(int(subject), _Person(self._config.smoothing, now_ns))
            step_s = (now_ns - person.seen_ns) / 1e9
            evidence = self._evidence @ meshes.confidence[row]
            rotations[row] = person.rotations(person.gate(rotations[row].copy(), step_s), evidence, step_s)
            places[row] = person.place(places[row], step_s)
            person.seen_ns = now_ns

    def _soles(self, frame: Frame, meshes: MeshResult, places: np.ndarray) -> tuple[list[float], list[bool]]:
        """Return height of each person's lower sole relative to the camera, and whether it was seen."""
        feet = meshes.joints[:, self._feet] + places[:, None]
        soles = (feet @ self._axes[1] - self._foot_heights_m).min(axis=1, initial=np.inf)
        size = np.array(frame.image.shape[1::-1])
        pixels = meshes.joints_px[:, self._feet]
        inside = ((pixels >= 0) & (pixels < size)).all(axis=(1, 2))
        sure = (meshes.confidence[:, self._feet] >= CREDIBLE_CONFIDENCE).all(axis=1)
        return [float(sole) for sole in soles], [bool(is_seen) for is_seen in np.logical_and(inside, sure)]


class _Person:
    """The filters of one person."""

    def __init__(self, config: SmoothingConfig, seen_ns: int) -> None:
        self.gate = FlipGate()
        self.rotations = RotationFilter(config)
        self.place = PlaceFilter(config)
        self.seen_ns = seen_ns

    def set_up(self, config: SmoothingConfig) -> None:
        """Go on with other settings, without a jump."""
        self.rotations.set_up(config)
        self.place.set_up(config)


def evidence_weights(parents: np.ndarray) -> np.ndarray:
    """Return `(J, J)` float64 weights: how surely a joint's turn is seen is the mean confidence of its children.

    A thigh's turn shows in where the knee is; a joint without children speaks for itself.
    """
    children = np.asarray(parents)[None, :] == np.arange(len(parents))[:, None]
    weights = np.where(children.any(axis=1, keepdims=True), children, np.eye(len(parents), dtype=bool)).astype(float)
    return weights / weights.sum(axis=1, keepdims=True)
