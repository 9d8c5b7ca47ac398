"""The shipped person network: a picture of 224 pixels in, boxes, alignment points and scores out."""

from __future__ import annotations

import numpy as np

from ..types import FloatArray, Image

INPUT_SIZE_PX = 224
ANCHORS_PER_CELL = ((8, 2), (16, 2), (32, 6))
"""Stride in pixels and anchors of each cell, for the three grids of the network."""
POINTS = 4
LARGEST_LOGIT = 80.0
"""exp of more overflows float32."""


class PersonNetwork:
    """Runs the network; used by one thread at a time."""

    def __init__(self, device: str = "cpu") -> None:
        import torch

        from ..backbones.blazepose.load import load_person_detection
        from ..recovery.golden import golden_views
        from ..runtime.network import Trial
        from ..runtime.session import open_session

        example = torch.zeros(1, 3, INPUT_SIZE_PX, INPUT_SIZE_PX)
        self._session = open_session(
            load_person_detection(),
            [example],
            ["pictures"],
            ["boxes", "scores"],
            "blazepose-detection",
            device=device,
            trial=Trial(lambda: [golden_views().crops(INPUT_SIZE_PX) * 2 - 1]),
        )
        self._anchors = person_anchors()

    def __call__(self, image: Image) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return `(A, 4)` head boxes xyxy, `(A, 4, 2)` points, `(A,)` scores of a `(224, 224, 3)` uint8 picture."""
        tensor = image.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(127.5) - 1
        values, logits = self._session.run(np.ascontiguousarray(tensor, np.float32))
        return decode(values[0], logits[0, :, 0], self._anchors)


def person_anchors() -> FloatArray:
    """Return `(2254, 2)` float32 centres of the anchors, pixels."""
    grids = []
    for stride, count in ANCHORS_PER_CELL:
        rows, columns = np.mgrid[: INPUT_SIZE_PX // stride, : INPUT_SIZE_PX // stride]
        centers = (np.stack([columns, rows], axis=-1).reshape(-1, 2) + 0.5) * stride
        grids.append(np.repeat(centers, count, axis=0))
    return np.concatenate(grids).astype(np.float32)


def decode(values: FloatArray, logits: FloatArray, anchors: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return boxes, points and scores of all anchors.

    Args:
        values: `(A, 12)`: centre and size of the head box, then four points; all but the size are about the anchor.
        logits: `(A,)`.
        anchors: `(A, 2)` pixels.
    """
    pairs = values.reshape(-1, 2 + POINTS, 2)
    centers, half = pairs[:, 0] + anchors, pairs[:, 1] / 2
    boxes = np.concatenate([centers - half, centers + half], axis=1)
    scores = 1 / (1 + np.exp(-np.clip(logits, -LARGEST_LOGIT, LARGEST_LOGIT)))
    return boxes, pairs[:, 2:] + anchors[:, None], scores.astype(np.float32)
