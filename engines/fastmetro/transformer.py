"""One of FastMETRO's two encoder-decoder transformers: pre-norm, keys as in the release, batch first."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers.brief_linear import BriefLinear
from ..layers.packed_attention import PackedAttention


class Sizes(NamedTuple):
    """Sizes of one transformer."""

    width: int
    hidden: int
    heads: int
    layers: int
    dropout: float


class Start(NamedTuple):
    """Decoder queries half way through a layer, before they look at the image; one row or one per image."""

    queries: Tensor
    """`(B or 1, Q, width)`."""
    asked: Tensor
    """`(B or 1, heads, Q, d)`, the same, projected for the attention to the image."""


class Layer(nn.Module):
    """What both kinds of layer have: self-attention, a two-layer network, two norms."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.self_attn = PackedAttention(sizes.width, sizes.heads, sizes.dropout)
        self.linear1 = nn.Linear(sizes.width, sizes.hidden)
        self.relu: nn.Module = nn.ReLU(inplace=True)
        self.linear2 = nn.Linear(sizes.hidden, sizes.width)
        self.norm1 = nn.LayerNorm(sizes.width)
        self.norm2 = nn.LayerNorm(sizes.width)
        self.dropout = nn.Dropout(sizes.dropout)
        for linear in (self.linear1, self.linear2):
            nn.init.xavier_uniform_(linear.weight)
        nn.init.xavier_uniform_(self.self_attn.out_proj.weight)

    @torch.no_grad()
    def shorten(self) -> None:
        """Compute the large products in bfloat16; see `brief_linear`. For inference."""
        self.linear1 = BriefLinear(self.linear1, torch.bfloat16, relu=True)  # type: ignore[assignment]
        self.linear2 = BriefLinear(self.linear2)  # type: ignore[assignment]
        self.relu = nn.Identity()
        for attention in (child for child in self.children() if isinstance(child, PackedAttention)):
            attention.shorten()

    def feed(self, tokens: Tensor) -> Tensor:
        """Return the two-layer network of normalised tokens."""
        return self.dropout(self.linear2(self.dropout(self.relu(self.linear1(tokens)))))


class EncoderLayer(Layer):
    """Self-attention and feed-forward; positions go to queries and keys, never to values."""

    def forward(self, tokens: Tensor, position: Tensor) -> Tensor:
        """Return the next `(B, 1 + T, width)` tokens."""
        normed = self.norm1(tokens)
        placed = normed + position
        tokens = tokens + self.dropout(self.self_attn(placed, placed, normed))
        return tokens + self.feed(self.norm2(tokens))


class DecoderLayer(Layer):
    """Masked self-attention, attention to the image, feed-forward."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        self.multihead_attn = PackedAttention(sizes.width, sizes.heads, sizes.dropout)
        self.norm3 = nn.LayerNorm(sizes.width)
        nn.init.xavier_uniform_(self.multihead_attn.out_proj.weight)

    def start(self, queries: Tensor, blocked: Tensor) -> Start:
        """Return the queries after they looked at each other: the half of the layer that never sees the image."""
        normed = self.norm1(queries)
        talked = queries + self.dropout(self.self_attn(normed, normed, normed, blocked))
        return Start(talked, self.multihead_attn.ask(self.norm2(talked)))

    def look(self, start: Start, keys: Tensor, memory: Tensor) -> Tensor:
        """Return the `(B, Q, width)` queries after they looked at the image."""
        queries = start.queries + self.dropout(self.multihead_attn.answer(start.asked, keys, memory))
        return queries + self.feed(self.norm3(queries))


class Encoder(nn.Module):
    """Encoder layers and a last norm."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(sizes) for _ in range(sizes.layers))
        self.norm = nn.LayerNorm(sizes.width)

    def forward(self, tokens: Tensor, position: Tensor) -> Tensor:
        """Return `(B, 1 + T, width)`."""
        for layer in self.layers:
            tokens = layer(tokens, position)
        return self.norm(tokens)


class Decoder(nn.Module):
    """Decoder layers and a last norm."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(sizes) for _ in range(sizes.layers))
        self.norm = nn.LayerNorm(sizes.width)

    def forward(self, start: Start, keys: Tensor, memory: Tensor, blocked: Tensor) -> Tensor:
        """Return the `(B, Q, width)` queries after all layers; `start` is the first layer's."""
        first, *others = self.layers
        queries = first.look(start, keys, memory)
        for layer in others:
            queries = layer.look(layer.start(queries, blocked), keys, memory)
        return self.norm(queries)


class Read(NamedTuple):
    """What a transformer returns."""

    camera: Tensor
    """`(B, 1, width)` the camera token, of the encoder."""
    image: Tensor
    """`(B, T, width)` the image tokens, of the encoder."""
    queries: Tensor
    """`(B, Q, width)` joints, then vertices, of the decoder."""


class Transformer(nn.Module):
    """Camera and image through the encoder; joints and vertices read the encoded image, not the camera."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.encoder = Encoder(sizes)
        self.decoder = Decoder(sizes)

    def start(self, queries: Tensor, blocked: Tensor) -> Start:
        """Return what `(B or 1, Q, width)` queries become before the image is looked at."""
        return self.decoder.layers[0].start(queries, blocked)

    def forward(self, camera: Tensor, image: Tensor, start: Start, position: Tensor, blocked: Tensor) -> Read:
        """Return what is read off the image.

        Args:
            camera: `(B, 1, width)`.
            image: `(B, T, width)`.
            start: of the queries, see `start`.
            position: `(T, width)` of the image tokens; the camera has none.
            blocked: `(Q, Q)`, see PackedAttention.
        """
        everywhere = functional.pad(position, (0, 0, 1, 0))
        tokens = self.encoder(torch.cat([camera, image], dim=1), everywhere)
        camera, memory = tokens[:, :1], tokens[:, 1:]
        return Read(camera, memory, self.decoder(start, memory + position, memory, blocked))
