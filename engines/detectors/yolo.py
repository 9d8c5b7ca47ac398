"""People by YOLO: ultralytics models by name or path, or an ONNX file without ultralytics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import WeightsError
from ..types import Detections, Detector, Image
from .onnx_file import OnnxFileDetector
from .options import YoloOptions
from .ultralytics_guard import import_ultralytics, settings_kept
from .yolo_weights import find_or_fetch, find_yolo_weights


class YoloDetector:
    """Finds people with the model the options name; used by one thread at a time."""

    def __init__(self, options: YoloOptions, device: str = "cpu") -> None:
        if options.weights.endswith(".onnx"):
            path = find_yolo_weights(options.weights) or Path(options.weights)
            self._detector: Detector = OnnxFileDetector(
                path, options.min_score, options.max_overlap, options.image_size_px
            )
        else:
            self._detector = UltralyticsDetector(options, device)

    def detect(self, image: Image) -> Detections:
        """Return the people in `(H, W, 3)` uint8 RGB `image`, best first."""
        return self._detector.detect(image)

    def close(self) -> None:
        """Release the model."""
        self._detector.close()


class UltralyticsDetector:
    """Runs an ultralytics model; the extra `yolo`, AGPL-3.0."""

    def __init__(self, options: YoloOptions, device: str) -> None:
        self._options, self._device = options, device
        with settings_kept():
            ultralytics = import_ultralytics()
            path = find_or_fetch(options.weights)
            try:
                self._model = ultralytics.YOLO(str(path))
            except Exception as error:  # pickle, torch and ultralytics each raise their own
                raise WeightsError(
                    f"{path}: ultralytics cannot read it ({str(error).splitlines()[0]}); expected a detection "
                    "model of ultralytics; delete the file so that it is fetched again, or name another"
                ) from error
            self._person = [number for number, name in self._model.names.items() if name == "person"]
            self._predict(np.zeros((64, 64, 3), np.uint8))  # chooses the device, and sets thread counts, once

    def detect(self, image: Image) -> Detections:
        """Return the people in `(H, W, 3)` uint8 RGB `image`, best first."""
        boxes = self._predict(image).boxes
        scores = boxes.conf.cpu().numpy().astype(np.float32)
        order = np.argsort(-scores, kind="stable")
        return Detections(boxes.xyxy.cpu().numpy().astype(np.float32)[order].reshape(-1, 4), scores[order])

    def close(self) -> None:
        """Nothing is held beyond this object."""

    def _predict(self, image: Image) -> Any:
        bgr = np.ascontiguousarray(image[..., ::-1])
        return self._model.predict(
            bgr,
            conf=self._options.min_score,
            iou=self._options.max_overlap,
            imgsz=self._options.image_size_px,
            classes=self._person or None,
            device=self._device,
            verbose=False,
        )[0]
