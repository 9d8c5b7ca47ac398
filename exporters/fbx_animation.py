"""Animation in an FBX file: stacks of curves, one key a frame on every curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .fbx_nodes import encode
from .fbx_scene import Scene, SceneObject, StackSpan
from .fbx_time import frame_ticks
from .types import FloatArray

_LINEAR_KEYS = 4
"""The SDK's eInterpolationLinear; between two frames of one rate nothing else makes sense."""


@dataclass(frozen=True, slots=True)
class Movement:
    """How one figure's bones move over F frames."""

    bones: Sequence[SceneObject]
    """J models, the root joint's first."""
    root_translation: FloatArray
    """`(F, 3)` float32, the file's unit."""
    angles_deg: FloatArray
    """`(F, J, 3)` float32, about x, y, z in the SDK's order XYZ: R = Rz Ry Rx."""


def add_stack(scene: Scene, name: str, movements: Sequence[Movement], rate: Fraction) -> StackSpan:
    """Add a stack in which all figures move from time 0 on; they have the same number of frames."""
    ticks = frame_ticks(len(movements[0].root_translation), rate)
    span = StackSpan(name, ticks[-1])
    stack = scene.add("AnimationStack", name, "AnimStack", "")
    stack.node.add_table(
        *(
            (f"{part}{end}", "KTime", "Time", "", np.int64(0) if end == "Start" else span.stop)
            for part in ("Local", "Reference")
            for end in ("Start", "Stop")
        )
    )
    curves = _Curves(scene, scene.add("AnimationLayer", "BaseLayer", "AnimLayer", ""), ticks)
    scene.connect(curves.layer, stack)
    for movement in movements:
        curves.drive(movement.bones[0], "T", "Lcl Translation", movement.root_translation)
        for j, bone in enumerate(movement.bones):
            curves.drive(bone, "R", "Lcl Rotation", movement.angles_deg[:, j])
    return span


class _Curves:
    """Adds curves to one layer; what all curves share is encoded once."""

    def __init__(self, scene: Scene, layer: SceneObject, ticks: np.ndarray) -> None:
        self.layer = layer
        self._scene = scene
        self._times = encode(ticks)
        self._shared_by = encode(np.array([len(ticks)], np.int32))
        self._flags = encode(np.array([_LINEAR_KEYS], np.int32))
        self._slopes = encode(np.zeros(4, np.float32))

    def drive(self, bone: SceneObject, label: str, prop: str, values: FloatArray) -> None:
        """Let `(F, 3)` values drive a property of a bone, one curve for each axis."""
        group = self._scene.add("AnimationCurveNode", label, "AnimCurveNode", "")
        group.node.add_table(
            *((f"d|{axis}", "Number", "", "A", float(v)) for axis, v in zip("XYZ", values[0], strict=True))
        )
        self._scene.connect(group, self.layer)
        self._scene.connect(group, bone, prop)
        for axis, column in zip("XYZ", values.T, strict=True):
            self._scene.connect(self._curve(column), group, f"d|{axis}")

    def _curve(self, values: FloatArray) -> SceneObject:
        curve = self._scene.add("AnimationCurve", "", "AnimCurve", "")
        curve.node.add("Default", float(values[0]))
        curve.node.add("KeyVer", 4008)
        curve.node.add_encoded("KeyTime", self._times)
        curve.node.add("KeyValueFloat", values)
        curve.node.add_encoded("KeyAttrFlags", self._flags)
        curve.node.add_encoded("KeyAttrDataFloat", self._slopes)
        curve.node.add_encoded("KeyAttrRefCount", self._shared_by)
        return curve
