"""Sizes of a DeFormer network."""

from __future__ import annotations

from dataclasses import dataclass

JOINTS = 14
VERTEX_COUNTS = (431, 1723, 6890)
TRUNK_CHANNELS = {"resnet50": (256, 512, 1024, 2048), "hrnet_w48": (48, 96, 192, 384)}
"""Channels of the maps at strides 4, 8, 16 and 32."""
STRIDES = (4, 8, 16, 32)
SPARSE_FROM_TOKENS = 1024
"""Above this many tokens attention gathers live tiles; below it a masked dense softmax is as fast."""


@dataclass(frozen=True, slots=True)
class DeformerConfig:
    """Sizes; the README says which are the paper's and which our choice."""

    trunk: str = ""
    """resnet50 | hrnet_w48; empty for a network that is fed its feature maps."""
    channels: tuple[int, ...] = TRUNK_CHANNELS["hrnet_w48"]
    """Of the maps given, finest first; those of the trunk where there is one."""
    strides: tuple[int, ...] = STRIDES
    """Of the maps given, in crop pixels; the finest ones first."""
    size_hw: tuple[int, int] = (256, 256)
    """Height and width of the crop, pixels: 256 x 256 or 384 x 288."""
    vertices: int = 431
    """Vertex queries: 431, 1,723 or all 6,890; 14 joint queries come before them."""
    steps: int = 3
    layers_per_step: int = 1
    dim: int = 256
    heads: int = 8
    points: int = 4
    mlp_dim: int = 1024
    dropout: float = 0.1
    pre_norm: bool = False
    rings: int = 2
    """How many edges a vertex sees."""
    whole_tiles: bool = True
    """Whether everything in a 16 x 16 tile sees each other once one pair in it does."""
    corrects_start: bool = False
    """Whether the first step corrects the start that it is given, instead of finding the body by itself."""

    def __post_init__(self) -> None:
        if self.trunk and self.trunk not in TRUNK_CHANNELS:
            raise ValueError(f"trunk: found {self.trunk!r}, expected one of {tuple(TRUNK_CHANNELS)} or none; change it")
        if self.trunk and self.channels != TRUNK_CHANNELS[self.trunk]:
            raise ValueError(f"channels: found {self.channels}, expected {TRUNK_CHANNELS[self.trunk]} of {self.trunk}")
        if self.vertices not in VERTEX_COUNTS:
            raise ValueError(f"vertices: found {self.vertices}, expected one of {VERTEX_COUNTS}; change it")
        if len(self.strides) != len(self.channels):
            raise ValueError(f"strides: found {self.strides}, expected {len(self.channels)} as channels has; change it")
        if any(side % self.strides[-1] for side in self.size_hw):
            raise ValueError(f"size_hw: found {self.size_hw}, expected multiples of {self.strides[-1]}; change it")
        if self.tokens > SPARSE_FROM_TOKENS and not self.whole_tiles:
            raise ValueError(f"whole_tiles: found False with {self.tokens} tokens, expected True; set it")

    @property
    def tokens(self) -> int:
        """Queries: joints, then vertices."""
        return JOINTS + self.vertices

    @property
    def level_sizes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of the levels (five in the paper), finest first; the last one is the whole picture."""
        height, width = self.size_hw
        return (*((height // s, width // s) for s in self.strides), (1, 1))

    @property
    def half_width(self) -> float:
        """Where the crop's right border lies, in half heights: 1 for a square crop."""
        return self.size_hw[1] / self.size_hw[0]


def with_trunk(trunk: str, size_hw: tuple[int, int] = (256, 256), vertices: int = 431) -> DeformerConfig:
    """Return the configuration of a whole network, from image to mesh."""
    return DeformerConfig(trunk, TRUNK_CHANNELS[trunk], size_hw=size_hw, vertices=vertices)


DEFAULT = DeformerConfig(
    channels=(48, 288), strides=(16, 32), dim=64, heads=4, points=2, mlp_dim=256, dropout=0.0, corrects_start=True
)
"""Over the frozen encoder: its two maps are the levels, and a mesh made from its landmarks is the start."""
