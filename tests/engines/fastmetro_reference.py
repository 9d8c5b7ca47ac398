"""FastMETRO's transformers layer by layer from torch's own parts, as plain as can be; loads the same state dict.

    python tests/engines/fastmetro_reference.py [THREADS [ROUNDS]]

compares outputs and times of this and of our own network, size S, one crop, from the feature map to the vertices.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


class EncoderLayer(nn.Module):
    def __init__(self, width: int, heads: int, decoder: bool = False) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        if decoder:
            self.multihead_attn = nn.MultiheadAttention(width, heads, batch_first=True)
            self.norm3 = nn.LayerNorm(width)

    def encode(self, x: Tensor, position: Tensor) -> Tensor:
        n = self.norm1(x)
        x = x + self.self_attn(n + position, n + position, n, need_weights=False)[0]
        return x + self.linear2(torch.relu(self.linear1(self.norm2(x))))

    def decode(self, x: Tensor, memory: Tensor, position: Tensor, mask: Tensor) -> Tensor:
        n = self.norm1(x)
        x = x + self.self_attn(n, n, n, attn_mask=mask, need_weights=False)[0]
        x = x + self.multihead_attn(self.norm2(x), memory + position, memory, need_weights=False)[0]
        return x + self.linear2(torch.relu(self.linear1(self.norm3(x))))


class Stack(nn.Module):
    def __init__(self, width: int, heads: int, layers: int, decoder: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(width, heads, decoder) for _ in range(layers))
        self.norm = nn.LayerNorm(width)


class Transformer(nn.Module):
    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.encoder = Stack(width, heads, layers, decoder=False)
        self.decoder = Stack(width, heads, layers, decoder=True)

    def forward(self, camera: Tensor, image: Tensor, queries: Tensor, position: Tensor, mask: Tensor
                ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        x = torch.cat([camera, image], 1)
        everywhere = torch.cat([torch.zeros_like(position[:1]), position])
        for layer in self.encoder.layers:
            x = layer.encode(x, everywhere)
        x = self.encoder.norm(x)
        for layer in self.decoder.layers:
            queries = layer.decode(queries, x[:, 1:], position, mask)
        return x[:, :1], x[:, 1:], self.decoder.norm(queries)


class PlainFastMetro(nn.Module):
    """The release without trunk and regressor; the mesh's constants are taken from our network."""

    def __init__(self, layers: int, ours: nn.Module) -> None:
        super().__init__()
        self.conv_1x1 = nn.Conv2d(2048, 512, 1)
        self.cam_token_embed, self.joint_token_embed = nn.Embedding(1, 512), nn.Embedding(14, 512)
        self.vertex_token_embed = nn.Embedding(431, 512)
        self.transformer_1, self.transformer_2 = Transformer(512, 8, layers), Transformer(128, 8, layers)
        self.dim_reduce_enc_cam, self.dim_reduce_enc_img = nn.Linear(512, 128), nn.Linear(512, 128)
        self.dim_reduce_dec = nn.Linear(512, 128)
        self.xyz_regressor, self.cam_predictor = nn.Linear(128, 3), nn.Linear(128, 3)
        self.coarse2intermediate_upsample = nn.Linear(431, 1723)
        self.load_state_dict(ours.state_dict())
        self.position_1, self.position_2 = ours.position_1, ours.position_2
        self.mask, self.to_fine = ours.blocked < 0, ours.to_fine

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return camera, the 445 places and the fine vertices."""
        batch = features.shape[0]
        queries = torch.cat([self.joint_token_embed.weight, self.vertex_token_embed.weight]).expand(batch, -1, -1)
        camera, image = self.cam_token_embed.weight.expand(batch, -1, -1), self.conv_1x1(features).flatten(2).mT
        camera, image, queries = self.transformer_1(camera, image, queries, self.position_1, self.mask)
        camera, image = self.dim_reduce_enc_cam(camera), self.dim_reduce_enc_img(image)
        camera, _, queries = self.transformer_2(camera, image, self.dim_reduce_dec(queries), self.position_2, self.mask)
        places = self.xyz_regressor(queries)
        middle = self.coarse2intermediate_upsample(places[:, 14:].mT).mT
        return self.cam_predictor(camera[:, 0]), places, self.to_fine(middle)


def median_ms(run: object, features: Tensor, rounds: int = 30) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run(features)  # type: ignore[operator]
        times.append((time.perf_counter() - start) * 1e3)
    return sorted(times)[rounds // 2]


def main() -> None:
    import fastmetro_formula as formula

    from engines.fastmetro.config import FastMetroConfig
    from engines.fastmetro.network import FastMetro
    from engines.runtime.network import relative_error_mm

    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    ours = FastMetro(FastMetroConfig(1), formula.topology()).eval()
    ours.load_state_dict(formula.state({key: tuple(value.shape) for key, value in ours.state_dict().items()}))
    plain = PlainFastMetro(1, ours).eval()
    features = formula.features()[:1]
    with torch.inference_mode():
        ours.settle()
        brief = ours.brief()
        expected = plain(features)
        off = max(float((a - b).abs().max()) for a, b in zip(expected, _same(ours.from_features(features))))
        fine = [read[2].numpy() for read in (expected, _same(brief.from_features(features)))]
        off_brief = relative_error_mm(fine[:1], fine[1:])
        print(f"off: fp32 {off:.0e} at most; bf16 {off_brief:.2f} mm if the mesh's largest number were a metre")
        for _ in range(rounds):  # turn about, so that another load on the machine hits all
            times = [median_ms(run, features) for run in (plain, ours.from_features, brief.from_features)]
            print(
                f"plain {times[0]:.1f} ms; ours fp32 {times[1]:.1f}: {times[0] / times[1]:.2f} times; "
                f"ours bf16 {times[2]:.1f}: {times[0] / times[2]:.2f} times"
            )


def _same(read: object) -> tuple[Tensor, Tensor, Tensor]:
    return read.camera, torch.cat([read.joints, read.coarse], 1), read.fine  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
