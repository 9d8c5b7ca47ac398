"""Render the few crops on which every runtime is compared with torch: engines/assets/golden_crops.npz.

    .venv/bin/python scripts/make_golden_crops.py

People of the free body, arms anywhere, limbs bent a little, seen from the front, on invented backgrounds. No picture
of anybody and no data set goes into it.
"""

from __future__ import annotations

import cv2
import numpy as np

from engines.body import load_body
from engines.training.poses import from_rotation_vectors
from engines.training.synthesis import CropMaker
from engines.weights import assets_folder, record_sha256

COUNT, SEED = 4, 7
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_ELBOW, RIGHT_ELBOW = 16, 17, 18, 19


class BentLimbs:
    """Stands in for a library of captured poses, which are not free to all."""

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return `(count, 24, 3, 3)` parent-relative rotations."""
        vectors = rng.normal(0, 0.15, (count, 24, 3))
        vectors[:, 0, 1] += rng.uniform(-0.8, 0.8, count)
        vectors[:, LEFT_SHOULDER, 2] += rng.uniform(-1.3, 0.6, count)
        vectors[:, RIGHT_SHOULDER, 2] += rng.uniform(-0.6, 1.3, count)
        vectors[:, LEFT_ELBOW, 1] -= rng.uniform(0, 1.2, count)
        vectors[:, RIGHT_ELBOW, 1] += rng.uniform(0, 1.2, count)
        return from_rotation_vectors(vectors.astype(np.float32))


def main() -> None:
    crops = CropMaker(load_body(), BentLimbs(), SEED).make(COUNT).images  # type: ignore[arg-type]
    # PNG is half of what zip makes of pixels.
    coded = [cv2.imencode(".png", crop[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])[1] for crop in crops]
    path = assets_folder() / "golden_crops.npz"
    np.savez(path, **{f"crop{n}": data.reshape(-1) for n, data in enumerate(coded)})
    record_sha256(path)
    print(f"{path}: {COUNT} crops, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
