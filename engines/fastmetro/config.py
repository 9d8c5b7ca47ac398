"""Sizes of a FastMETRO network."""

from __future__ import annotations

from dataclasses import dataclass

LAYERS = {"S": 1, "M": 2, "L": 3}
"""Published sizes: layers of each encoder and of each decoder."""
TRUNKS = ("", "resnet50", "hrnet_w64")


@dataclass(frozen=True, slots=True)
class FastMetroConfig:
    """Sizes; the defaults are the published ones."""

    layers: int = 1
    """Encoder layers, and decoder layers, of each of the two transformers."""
    trunk: str = ""
    """resnet50 | hrnet_w64; empty for a network that is fed a feature map."""
    table2: bool = False
    """True for the layout of the paper's Table 2: one reduction for camera and image, no learned upsampling."""
    regressor: bool = False
    """Whether body parameters are regressed from the 1,723-vertex mesh."""
    widths: tuple[int, int] = (512, 128)
    """Token widths of the two transformers; feed-forward layers are four times as wide."""
    heads: int = 8
    dropout: float = 0.1
    joints: int = 14
    vertices: int = 431
    middle_vertices: int = 1723
    feature_channels: int = 2048
    feature_size: tuple[int, int] = (7, 7)
    """Height and width of the feature map."""
    landmarks: int = 0
    """Landmarks of an encoder that join the image tokens; 0 in the published layouts."""

    def __post_init__(self) -> None:
        if self.trunk not in TRUNKS:
            raise ValueError(f"trunk: found {self.trunk!r}, expected one of {TRUNKS}; change it")

    @property
    def name(self) -> str:
        """The published name of the size, such as `L-H64`."""
        size = {count: name for name, count in LAYERS.items()}.get(self.layers, f"{self.layers} layers")
        return size + {"": "", "resnet50": "-R50", "hrnet_w64": "-H64"}[self.trunk]


DEFAULT = FastMetroConfig(
    widths=(128, 64), heads=4, dropout=0.0, feature_channels=288, feature_size=(8, 8), landmarks=39
)
"""Over the frozen encoder: its coarsest map and its landmarks are the tokens; small enough for a CPU."""

SIZES = {
    "default": DEFAULT,
    **{f"{size}-R50": FastMetroConfig(layers, "resnet50") for size, layers in LAYERS.items()},
    **{f"{size}-H64": FastMetroConfig(layers, "hrnet_w64") for size, layers in LAYERS.items()},
}
"""The configurations that the options name."""
