"""ViT-H: sizes, keys, and the answer of the same network written plainly."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from engines.backbones.vit import VIT_H, VitConfig, VitTrunk

TINY = VitConfig(64, 48, dim=32, depth=2, heads=4, mlp_dim=64)
BLOCK = ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")


def huge() -> VitTrunk:
    with torch.device("meta"):
        return VitTrunk()


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def lively(config: VitConfig) -> VitTrunk:
    """Return a trunk all of whose numbers matter, biases and norms too."""
    torch.manual_seed(7)
    trunk = VitTrunk(config).eval()
    for parameter in trunk.parameters():
        nn.init.normal_(parameter, std=0.3)
    return trunk


def test_vit_h_is_the_published_size() -> None:
    trunk = huge()
    assert count(trunk) == 630_912_000
    assert count(trunk.blocks[0]) == 19_677_440
    assert tuple(trunk.pos_embed.shape) == (1, 193, 1280)
    assert trunk.patch_embed.proj.padding == (2, 2)
    assert trunk.patch_embed.proj.kernel_size == trunk.patch_embed.proj.stride == (16, 16)
    assert {m.eps for m in trunk.modules() if isinstance(m, nn.LayerNorm)} == {1e-6}


def test_vit_h_gives_a_16_by_12_map_for_248_gflop() -> None:
    with FlopCounterMode(display=False) as counter:
        assert huge()(torch.empty(1, 3, 256, 192, device="meta")).shape == (1, 1280, 16, 12)
    assert counter.get_total_flops() / 1e9 == pytest.approx(248.0, abs=0.1)


def test_keys_are_the_releases() -> None:
    parts = ["patch_embed.proj", "last_norm", *(f"blocks.{n}.{part}" for n in range(32) for part in BLOCK)]
    expected = {"pos_embed"} | {f"{part}.{kind}" for part in parts for kind in ("weight", "bias")}
    assert set(huge().state_dict()) == expected


@pytest.mark.parametrize(("config", "expected"), [(VIT_H, (16, 12)), (TINY, (4, 3)), (VitConfig(256, 256), (16, 16))])
def test_grid_of_patches(config: VitConfig, expected: tuple[int, int]) -> None:
    assert config.grid == expected


def test_a_width_that_the_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="found 30, expected a multiple of heads = 4"):
        VitConfig(dim=30, heads=4)


def plainly(state: Mapping[str, Tensor], images: Tensor, config: VitConfig) -> Tensor:
    """The network anew: patches cut by `unfold`, torch's own attention, the position table added in two steps."""
    size, dim = config.patch_px, config.dim
    padded = functional.pad(images, [config.padding_px] * 4)
    patches = functional.unfold(padded, size, stride=size).transpose(1, 2)
    x = patches @ state["patch_embed.proj.weight"].reshape(dim, -1).T + state["patch_embed.proj.bias"]
    x = x + state["pos_embed"][0, 1:]
    x = x + state["pos_embed"][0, 0]
    for n in range(config.depth):
        own = {
            key.removeprefix(f"blocks.{n}."): value for key, value in state.items() if key.startswith(f"blocks.{n}.")
        }
        attention = nn.MultiheadAttention(dim, config.heads, batch_first=True).eval()
        attention.load_state_dict({
            "in_proj_weight": own["attn.qkv.weight"], "in_proj_bias": own["attn.qkv.bias"],
            "out_proj.weight": own["attn.proj.weight"], "out_proj.bias": own["attn.proj.bias"],
        })  # fmt: skip
        h = functional.layer_norm(x, (dim,), own["norm1.weight"], own["norm1.bias"], 1e-6)
        x = x + attention(h, h, h)[0]
        h = functional.layer_norm(x, (dim,), own["norm2.weight"], own["norm2.bias"], 1e-6)
        h = functional.linear(h, own["mlp.fc1.weight"], own["mlp.fc1.bias"])
        h = h * 0.5 * (1 + torch.erf(h / 2**0.5))
        x = x + functional.linear(h, own["mlp.fc2.weight"], own["mlp.fc2.bias"])
    x = functional.layer_norm(x, (dim,), state["last_norm.weight"], state["last_norm.bias"], 1e-6)
    rows, columns = config.grid
    return torch.stack([person.T.reshape(dim, rows, columns) for person in x])


@torch.no_grad()
@pytest.mark.parametrize("config", [TINY, VitConfig(96, 64, dim=80, depth=3, heads=5, mlp_dim=96)])
def test_answer_is_that_of_the_network_written_plainly(config: VitConfig) -> None:
    trunk = lively(config)
    images = torch.randn(2, 3, config.height_px, config.width_px)
    expected = plainly(trunk.state_dict(), images, config)
    assert expected.std() > 0.1
    torch.testing.assert_close(trunk(images), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_class_entry_counts_for_every_patch() -> None:
    trunk = lively(TINY)
    images = torch.randn(1, 3, 64, 48)
    before = trunk(images)
    trunk.pos_embed[:, 1:] += trunk.pos_embed[:, :1].clone()
    trunk.pos_embed[:, :1] = 0
    torch.testing.assert_close(trunk(images), before, atol=1e-5, rtol=0)
    trunk.pos_embed[:, :1] = 1.0
    trunk.pos_embed[:, :1, ::2] = -1.0
    assert (trunk(images) - before).abs().amin(dim=(0, 1)).min() > 0
