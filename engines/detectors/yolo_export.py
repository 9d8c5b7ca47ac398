"""An ultralytics model as an ONNX file, exported by ultralytics itself and compared with the model."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np

from ..errors import RuntimeUnavailableError, WeightsError
from ..runtime.network import relative_error_mm
from ..runtime.onnxruntime_session import open_graph
from .ultralytics_guard import import_ultralytics, settings_kept

OPSET = 18
LARGEST_ERROR = 1.0
"""Thousandths of the largest number of the output, 95th percentile."""


def export_yolo(weights: Path, target: Path, image_size_px: int = 640) -> Path:
    """Write the model of a `.pt` file to `target` (.onnx), for squares of `image_size_px`; whole or not at all.

    Raises:
        WeightsError: ultralytics cannot read or export the file.
        RuntimeUnavailableError: what it wrote computes something else.
    """
    with settings_kept(), tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.pt"  # ultralytics writes beside the file it reads
        try:
            shutil.copyfile(weights, copy)
            written = _export(copy, image_size_px)
        except Exception as error:  # pickle, torch and ultralytics each raise their own
            raise WeightsError(
                f"{weights}: ultralytics cannot export it ({str(error).splitlines()[0]}); expected a detection model "
                "of ultralytics (.pt); name another"
            ) from error
        _check(copy, written, image_size_px, weights)
        part = target.with_name(target.name + ".part")
        shutil.copyfile(written, part)
        part.replace(target)
    return target


def _export(copy: Path, image_size_px: int) -> Path:
    model = import_ultralytics().YOLO(str(copy))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter by tracing, which ultralytics takes
        return Path(model.export(format="onnx", imgsz=image_size_px, opset=OPSET, simplify=False, verbose=False))


def _check(copy: Path, written: Path, image_size_px: int, weights: Path) -> None:
    """Raise RuntimeUnavailableError unless the file computes on noise what the model does."""
    import torch

    picture = np.random.default_rng(0).random((1, 3, image_size_px, image_size_px)).astype(np.float32)
    with torch.inference_mode():
        network = import_ultralytics().YOLO(str(copy)).model.eval().float()
        expected = network(torch.from_numpy(picture))[0].numpy()
    session = open_graph(str(written))
    found = session.run(None, {session.get_inputs()[0].name: picture})[0]
    error = relative_error_mm([expected], [found]) if found.shape == expected.shape else float("inf")
    if not error <= LARGEST_ERROR:
        raise RuntimeUnavailableError(
            f"{weights}: what ultralytics exported differs from the model by {error:.3g} thousandths; expected at most "
            f"{LARGEST_ERROR:g}; use the .pt file"
        )
