"""Widths and repeats of the published variants, as tables. Needs nothing but the standard library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted residual: widen to `hidden`, depthwise `kernel`, narrow to `out`."""

    hidden: int
    kernel: int
    out: int
    stride: int = 1


@dataclass(frozen=True, slots=True)
class TrunkPlan:
    """The part both networks share: an inverted-residual network from stride 2 to stride 32."""

    entry: int
    """Channels at stride 2."""
    stages: tuple[tuple[Block, ...], ...]
    """Blocks that bring strides 4, 8, 16 and 32; the first of each halves the resolution."""
    top: int
    """Channels the last stage is widened to."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels at the end of each stage."""
        return tuple(stage[-1].out for stage in self.stages)


@dataclass(frozen=True, slots=True)
class PosePlan:
    """A variant of the pose encoder."""

    trunk: TrunkPlan
    pyramid: int
    """Channels of every level of the feature pyramid."""
    context: tuple[tuple[int, int], ...]
    """(channels, residual blocks) at strides 8, 16 and 32 between pyramid and landmarks; empty where the
    landmarks are read from the trunk alone."""
    branch: int
    """Channels of the landmark branch at strides 32, 64 and 128."""
    repeats: tuple[int, int]
    """Residual blocks of the landmark branch at strides 64 and 128."""


def stage(first: Block, *repeated: Block) -> tuple[Block, ...]:
    """Return a stage whose first block halves the resolution."""
    return (Block(first.hidden, first.kernel, first.out, stride=2), *repeated)


LITE = PosePlan(
    trunk=TrunkPlan(
        entry=8,
        stages=(
            stage(Block(32, 3, 16), Block(96, 3, 16)),
            stage(Block(96, 5, 24), Block(144, 5, 24)),
            stage(Block(144, 3, 40), *[Block(240, 3, 40)] * 2, Block(240, 5, 56), *[Block(336, 5, 56)] * 2),
            stage(Block(336, 5, 96), *[Block(576, 5, 96)] * 3),
        ),
        top=576,
    ),
    pyramid=32,
    context=(),
    branch=192,
    repeats=(2, 3),
)

FULL = PosePlan(
    trunk=TrunkPlan(
        entry=16,
        stages=(
            stage(Block(64, 3, 24), Block(144, 3, 24)),
            stage(Block(144, 5, 32), Block(192, 5, 32)),
            stage(Block(192, 3, 64), *[Block(384, 3, 64)] * 2, Block(384, 5, 88), *[Block(528, 5, 88)] * 2),
            stage(Block(528, 5, 144), *[Block(864, 5, 144)] * 3),
        ),
        top=864,
    ),
    pyramid=48,
    context=(),
    branch=288,
    repeats=(4, 5),
)

HEAVY = PosePlan(
    trunk=TrunkPlan(
        entry=24,
        stages=(
            stage(Block(96, 3, 32), Block(128, 3, 32), *[Block(192, 3, 32)] * 2),
            stage(Block(192, 5, 56), *[Block(336, 5, 56)] * 3),
            stage(Block(336, 3, 112), *[Block(672, 3, 112)] * 5, Block(672, 5, 160), *[Block(960, 5, 160)] * 5),
            stage(Block(960, 5, 272), *[Block(1632, 5, 272)] * 7),
        ),
        top=1632,
    ),
    pyramid=48,
    context=((96, 6), (192, 7), (288, 7)),
    branch=288,
    repeats=(7, 7),
)

POSE_PLANS = {"lite": LITE, "full": FULL, "heavy": HEAVY}

DETECTION_TRUNK = TrunkPlan(
    entry=16,
    stages=(
        stage(Block(64, 3, 24), Block(144, 3, 24)),
        stage(Block(144, 5, 40), Block(240, 5, 40)),
        stage(Block(240, 3, 80), *[Block(480, 3, 80)] * 2, Block(480, 5, 112), *[Block(672, 5, 112)] * 2),
        stage(Block(672, 5, 192), *[Block(1152, 5, 192)] * 3),
    ),
    top=1152,
)
DETECTION_PYRAMID = (96, 192)
"""Channels of the detector's pyramid at strides 8 and 16."""
