"""The published BlazePose files run by their own interpreter (pip install ai-edge-litert).

As a program it writes `tests/golden/blazepose.npz`:
`python tests/engines/blazepose_reference.py FOLDER`, FOLDER holding the two .tflite files.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "blazepose.npz"
POSE_FILE, DETECTION_FILE = "pose_landmark_full.tflite", "pose_detection.tflite"
LANDMARKS, PRESENCE, WORLD = (1, 195), (1, 1), (1, 117)
BOXES, SCORES = (1, 2254, 12), (1, 2254, 1)
# Tensors inside pose_landmark_full.tflite that become the encoder's feature maps.
MAPS = {"pyramid16": 275, "trunk16": 251, "landmark8": 300, "trunk8": 269}
BOX_STEP = 23
"""One box in so many is kept in the golden file."""


def formula_picture(side_px: int) -> np.ndarray:
    """Return `(side, side, 3)` uint8: a standing figure of ellipses before a wavy ground, the same everywhere."""
    y, x = (np.mgrid[:side_px, :side_px] + 0.5) / side_px
    picture = np.stack([90 + 40 * np.sin(9 * x + 2 * c) * np.cos(7 * y + c) for c in range(3)], axis=-1)
    parts = (  # x, y, half width, half height, colour
        (0.50, 0.20, 0.045, 0.060, (225, 180, 150)),
        (0.50, 0.40, 0.085, 0.150, (170, 40, 50)),
        (0.38, 0.40, 0.025, 0.140, (225, 180, 150)),
        (0.62, 0.40, 0.025, 0.140, (225, 180, 150)),
        (0.46, 0.70, 0.038, 0.200, (40, 50, 110)),
        (0.54, 0.70, 0.038, 0.200, (40, 50, 110)),
    )
    for cx, cy, rx, ry, colour in parts:
        distance = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2
        inside = np.clip((1.3 - distance) / 0.6, 0, 1)[..., None]
        picture = picture * (1 - inside) + np.array(colour) * inside
    return np.floor(picture + 0.5).astype(np.uint8)


class Original:
    """One .tflite file and its interpreter."""

    def __init__(self, path: Path, inner: bool = False) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(str(path), num_threads=1, experimental_preserve_all_tensors=inner)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self.side_px = int(self._input["shape"][1])

    def run(self, picture: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
        """Return the outputs by their shapes for a `(side, side, 3)` float32 picture in the network's range."""
        self._interpreter.set_tensor(self._input["index"], picture[None].astype(np.float32))
        self._interpreter.invoke()
        details = self._interpreter.get_output_details()
        return {tuple(d["shape"]): self._interpreter.get_tensor(d["index"]).copy() for d in details}

    def inner(self, tensor: int) -> np.ndarray:
        """Return a tensor inside the graph, of the last run."""
        return self._interpreter.get_tensor(tensor).copy()


def main() -> None:
    folder = Path(sys.argv[1])
    pose = Original(folder / POSE_FILE, inner=True)
    pose_out = pose.run(formula_picture(pose.side_px) / np.float32(255))
    maps = {name: pose.inner(tensor)[0].mean(axis=(0, 1)) for name, tensor in MAPS.items()}
    detection = Original(folder / DETECTION_FILE)
    found = detection.run(formula_picture(detection.side_px) / np.float32(127.5) - 1)
    np.savez_compressed(
        GOLDEN,
        landmarks=pose_out[LANDMARKS].reshape(39, 5),
        world=pose_out[WORLD].reshape(39, 3),
        presence=pose_out[PRESENCE].reshape(()),
        boxes=found[BOXES][0, ::BOX_STEP],
        scores=found[SCORES][0, :, 0],
        **maps,
    )
    print(pose_out[PRESENCE], found[SCORES].max(), found[BOXES][0, found[SCORES].argmax()])


if __name__ == "__main__":
    main()
