"""What is written: the rows of the table, each a file or a few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from exporters import CMU_NAMES, FBX_PRESETS, HUMANOID_BONES, PRESETS, SMPL_JOINT_NAMES, ExportOptions
from exporters.resample import exact_rate

RATE = "30"
"""Of the rows that name none: every reader can take it."""


@dataclass(frozen=True)
class Case:
    """One file to write, and what a reader must know of it beforehand."""

    suffix: str
    preset: str | None = None
    rate: str = RATE
    names: Mapping[str, str] = field(default_factory=dict)
    """SMPL joint name -> name in the file; joints without one are not looked for where `only_named`."""
    only_named: bool = False
    unit: str | None = None
    unit_m: float = 0.01
    """Metres in the file's unit; a BVH does not say it, and an importer must be told."""
    up: str | None = None
    lead: int = 0
    """Frames in the T-pose before the motion."""
    raised_root: bool = False
    """Whether the root has its height as OFFSET, too; some readers add that to the motion."""

    @property
    def fps(self) -> float:
        """Frames per second."""
        return float(exact_rate(self.rate))

    @property
    def options(self) -> ExportOptions:
        """What the writer is asked for."""
        return ExportOptions(preset=self.preset, fps=self.rate, unit=self.unit, up=self.up)

    @property
    def joints(self) -> dict[str, str]:
        """SMPL joint name -> name in the file."""
        if self.only_named:
            return dict(self.names)
        return {joint: self.names.get(joint, joint) for joint in SMPL_JOINT_NAMES}


def _bvh(preset: str, **more: object) -> Case:
    return Case(".bvh", preset, names=PRESETS[preset].names, **more)  # type: ignore[arg-type]


VRM_NAMES = {joint: bone[0].lower() + bone[1:] for joint, bone in HUMANOID_BONES.items()}
FBX_RATES = ("24", "25", "29.97", "60", "120")
ROWS: Mapping[str, tuple[Case, ...]] = {
    "BVH, as it is": (Case(".bvh"),),
    "BVH, preset smpl": (_bvh("smpl"),),
    "BVH, preset blender": (_bvh("blender", unit_m=1.0, raised_root=True),),
    "BVH, preset unity": (_bvh("unity", lead=1),),
    "BVH, preset mixamo": (_bvh("mixamo"),),
    "BVH, preset cmu": (Case(".bvh", "cmu", names=CMU_NAMES),),
    "BVH, inches, z up": (Case(".bvh", unit="inch", unit_m=0.0254, up="z"),),
    "BVH at 24, 25, 29.97, 60, 120": tuple(Case(".bvh", rate=rate) for rate in FBX_RATES),
    **{f"FBX, preset {name}": (Case(".fbx", name, names=FBX_PRESETS[name].names),) for name in FBX_PRESETS},
    "FBX at 24, 25, 29.97, 60, 120": tuple(Case(".fbx", rate=rate) for rate in FBX_RATES),
    "GLB": (Case(".glb"),),
    "VRMA": (Case(".vrma", names=VRM_NAMES, only_named=True),),
    "USDA": (Case(".usda"),),
}
"""Title -> files; a cell tells the worst of a row's files."""
FORMATS = tuple(dict.fromkeys(case.suffix[1:] for row in ROWS.values() for case in row))
WITH_SURFACE = (".fbx", ".glb", ".usda")
