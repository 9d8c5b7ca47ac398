"""A detector in an ONNX file of YOLO or YOLOX layout, told apart by the shape of its output.

    (1, 4 + C, A)   YOLO: centre, width, height in pixels, then C class scores per anchor
    (1, M, 6)       YOLO with its own suppression: x0 y0 x1 y1 score class
    (1, A, 5 + C)   YOLOX: centre, width, height relative to a grid, objectness, C class scores

YOLO networks take RGB 0 to 1, padded all round; YOLOX takes BGR 0 to 255, padded right and below.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import WeightsError
from ..types import Detections, FloatArray, Image
from .boxes import clip_boxes, letterbox, suppress

PERSON_CLASS = 0
"""The first class of COCO, whose order every one of these models follows."""
PAD_VALUE = 114
YOLOX_STRIDES = (8, 16, 32)

Decoded = tuple[FloatArray, FloatArray]
"""`(A, 4)` xyxy boxes in pixels of the network's picture and `(A,)` person scores."""


class OnnxFileDetector:
    """Runs the file with onnxruntime; used by one thread at a time."""

    def __init__(self, path: Path, min_score: float, max_overlap: float, image_size_px: int, threads: int = 0) -> None:
        self._session = open_session(path, threads)
        entry = self._session.get_inputs()[0]
        self._input_name, sides = entry.name, entry.shape[2:]
        height, width = (side if isinstance(side, int) else image_size_px for side in sides)
        self._size_wh = (width, height)
        self._min_score, self._max_overlap = min_score, max_overlap
        output = self._session.run(None, {self._input_name: np.zeros((1, 3, height, width), np.float32)})[0]
        self._decode, self._is_yolox = choose_decoder(output.shape, self._size_wh, path)

    def detect(self, image: Image) -> Detections:
        """Return the people in `(H, W, 3)` uint8 RGB `image`, best first."""
        boxed = letterbox(image, self._size_wh, PAD_VALUE, centred=not self._is_yolox)
        pixels = boxed.image[..., ::-1].astype(np.float32) if self._is_yolox else boxed.image / np.float32(255)
        tensor = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)
        boxes, scores = self._decode(self._session.run(None, {self._input_name: tensor})[0][0])
        sure = (scores >= self._min_score) & np.isfinite(boxes).all(axis=1)
        boxes, scores = boxes[sure], scores[sure]
        kept = suppress(boxes, scores, self._max_overlap)
        corners = boxed.to_picture(boxes[kept].reshape(-1, 2, 2)).reshape(-1, 4)
        height, width = image.shape[:2]
        return Detections(clip_boxes(corners, width, height), scores[kept].astype(np.float32))

    def close(self) -> None:
        """Nothing is held beyond this object."""


def open_session(path: Path, threads: int = 0):  # type: ignore[no-untyped-def]
    """Return an onnxruntime session on the CPU.

    Raises:
        WeightsError: The file is absent or onnxruntime refuses it.
    """
    from ..runtime.onnxruntime_session import open_graph

    if not path.is_file():
        raise WeightsError(f"{path}: no such file; expected an ONNX model there; correct the path")
    try:
        return open_graph(str(path), threads=threads)
    except Exception as error:  # onnxruntime's own classes share no base but Exception
        raise WeightsError(
            f"{path}: onnxruntime cannot read it ({error}); expected an ONNX model; export it again"
        ) from error


def choose_decoder(
    shape: tuple[int, ...], size_wh: tuple[int, int], path: Path
) -> tuple[Callable[[FloatArray], Decoded], bool]:
    """Return the decoder for an output of `shape`, and whether it is YOLOX's.

    Raises:
        WeightsError: The shape belongs to none of the known layouts.
    """
    anchors = sum((size_wh[0] // stride) * (size_wh[1] // stride) for stride in YOLOX_STRIDES)
    if len(shape) == 3 and shape[2] == 6:
        return decode_end_to_end, False
    if len(shape) == 3 and shape[1] == anchors and shape[2] > 5:
        grid = yolox_grid(size_wh)
        return lambda output: decode_yolox(output, grid), True
    if len(shape) == 3 and shape[2] == anchors and shape[1] > 4:
        return decode_yolo, False
    raise WeightsError(
        f"{path}: output of shape {shape} for a picture of {size_wh[0]}x{size_wh[1]}; expected (1, 4+classes, "
        f"{anchors}), (1, boxes, 6) or (1, {anchors}, 5+classes); export a YOLO or YOLOX detector"
    )


def decode_yolo(output: FloatArray) -> Decoded:
    """Decode `(4 + C, A)`."""
    return _corners(output[:4].T), output[4 + PERSON_CLASS]


def decode_end_to_end(output: FloatArray) -> Decoded:
    """Decode `(M, 6)`; the network has done the suppression."""
    people = output[output[:, 5].round() == PERSON_CLASS]
    return people[:, :4], people[:, 4]


def decode_yolox(output: FloatArray, grid: FloatArray) -> Decoded:
    """Decode `(A, 5 + C)` with the `(A, 3)` grid of cell x, cell y and stride (YOLOX, Ge et al., 2021)."""
    stride = grid[:, 2:]
    centres = (output[:, :2] + grid[:, :2]) * stride
    sizes = np.exp(np.minimum(output[:, 2:4], 20)) * stride
    return _corners(np.concatenate([centres, sizes], axis=1)), output[:, 4] * output[:, 5 + PERSON_CLASS]


def yolox_grid(size_wh: tuple[int, int]) -> FloatArray:
    """Return `(A, 3)` float32: cell x, cell y and stride in pixels of every anchor."""
    cells = []
    for stride in YOLOX_STRIDES:
        rows, columns = np.mgrid[: size_wh[1] // stride, : size_wh[0] // stride]
        cells.append(np.stack([columns, rows, np.full_like(rows, stride)], axis=-1).reshape(-1, 3))
    return np.concatenate(cells).astype(np.float32)


def _corners(centres_and_sizes: FloatArray) -> FloatArray:
    centres, half = centres_and_sizes[:, :2], centres_and_sizes[:, 2:] / 2
    return np.concatenate([centres - half, centres + half], axis=1)
