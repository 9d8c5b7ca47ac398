"""ResNet-50 (He et al. 2016) without its pooling and classifier, keys as in torchvision."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

RESNET50 = (3, 4, 6, 3)
"""Blocks of each stage."""
CHANNELS = (256, 512, 1024, 2048)
"""Channels of each stage's output; the strides are 4, 8, 16 and 32."""


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolution around a short cut; the stride lies on the 3x3."""

    def __init__(self, channels: int, narrow: int, wide: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, narrow, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(narrow)
        self.conv2 = nn.Conv2d(narrow, narrow, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(narrow)
        self.conv3 = nn.Conv2d(narrow, wide, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(wide)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or channels != wide:
            self.downsample = nn.Sequential(nn.Conv2d(channels, wide, 1, stride, bias=False), nn.BatchNorm2d(wide))

    def forward(self, x: Tensor) -> Tensor:
        """Return `(B, wide, H / stride, W / stride)`."""
        short = x if self.downsample is None else self.downsample(x)
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.relu(self.bn2(self.conv2(x)))
        return functional.relu(self.bn3(self.conv3(x)) + short)


class ResNetTrunk(nn.Module):
    """Stem and four stages."""

    def __init__(self, blocks: tuple[int, int, int, int] = RESNET50) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        channels = 64
        for n, (count, wide) in enumerate(zip(blocks, CHANNELS, strict=True), start=1):
            stage = nn.Sequential(*(
                Bottleneck(wide if i else channels, wide // 4, wide, 2 if n > 1 and i == 0 else 1)
                for i in range(count)
            ))  # fmt: skip
            self.add_module(f"layer{n}", stage)
            channels = wide

    def forward(self, images: Tensor) -> Tensor:
        """Return the last map, `(B, 2048, H/32, W/32)`, of `(B, 3, H, W)` ImageNet-normalised images."""
        return self.maps(images)[-1]

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return the maps of the four stages, finest first."""
        x = functional.relu(self.bn1(self.conv1(images)))
        x = functional.max_pool2d(x, 3, 2, 1)
        maps = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            maps.append(x)
        return maps
