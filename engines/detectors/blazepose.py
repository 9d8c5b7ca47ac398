"""The shipped detector: BlazePose's person network, looking again where one look is not enough.

The network sees 224 x 224 pixels. Small people are lost in a large picture, so parts of it are looked at too;
people upside down or lying score low, so the turned picture is looked at where nobody stands out. It gives four
alignment points per person, from which `alignment.regions_from_detections` makes regions that follow how the
person lies in the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ..types import Detections, FloatArray, Image
from .blazepose_network import INPUT_SIZE_PX, PersonNetwork
from .boxes import clip_boxes, letterbox
from .candidates import Candidates, join, merge_weighted, without_known
from .options import BlazePoseDetectorOptions

Network = Callable[[Image], tuple[FloatArray, FloatArray, FloatArray]]
"""Takes `(224, 224, 3)` uint8 RGB; gives `(A, 4)` head boxes xyxy and `(A, 4, 2)` points, both in its pixels, and
`(A,)` scores."""
LARGE_PERSON = 0.4
"""A person whose circle has at least this part of the picture's shorter side as radius is not small."""
MIN_TILE_PX = 64
"""Smaller parts show nothing that the whole does not."""
MAX_TILES_PER_AXIS = 4
NONE = np.zeros(0, np.int64)
"""No rows."""
SURE_SCORE = 0.6
"""Where the best person scores lower, the turned picture is looked at too."""
LAST_RESORT = 0.4
"""Where nobody at all is found, the best candidate above this part of the limit is given."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of the picture, turned by quarters."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int
    quarter_turns: int = 0
    """Counter-clockwise."""

    def cut(self, image: Image) -> Image:
        """Return the part of `(H, W, 3)` image."""
        part = image[self.top_px : self.top_px + self.height_px, self.left_px : self.left_px + self.width_px]
        return np.ascontiguousarray(np.rot90(part, self.quarter_turns))

    def to_picture(self, points_px: FloatArray) -> FloatArray:
        """Return `(..., 2)` points of the view in pixels of the picture."""
        x, y = points_px[..., 0], points_px[..., 1]
        if self.quarter_turns == 1:
            x, y = self.width_px - y, x
        elif self.quarter_turns == 2:
            x, y = self.width_px - x, self.height_px - y
        elif self.quarter_turns == 3:
            x, y = y, self.height_px - x
        return np.stack([x + self.left_px, y + self.top_px], axis=-1).astype(np.float32)


class BlazePoseDetector:
    """Finds people with the shipped network; used by one thread at a time."""

    def __init__(self, options: BlazePoseDetectorOptions, device: str = "cpu") -> None:
        self._options = options
        self._network: Network = PersonNetwork(device)
        self._parts_shown = 0
        self._part_is_next = False

    def detect(self, image: Image) -> Detections:
        """Return the people in `(H, W, 3)` uint8 RGB `image`, best first, with their alignment points."""
        return _detections(find_people(image, self._network, self._options), image)

    def glance(self, image: Image) -> Detections:
        """Return the people in one look of those that `detect` would take, another look each time.

        The whole picture and its parts take turns; parts are left out while a person fills the picture. For
        somebody who follows people with other means and only waits for new ones, at a fraction of the cost.
        """
        height, width = image.shape[:2]
        parts = list(tiles(width, height)) if self._part_is_next else []
        if parts:
            self._part_is_next = False
            self._parts_shown += 1
            part = parts[self._parts_shown % len(parts)]
            return _detections(_inside(look(image, part, self._network, self._options.min_score), part), image)
        found = look(image, View(0, 0, width, height), self._network, self._options.min_score)
        self._part_is_next = self._options.tiles and not _fills_picture(found, min(width, height))
        return _detections(found, image)

    def close(self) -> None:
        """Nothing is held beyond this object."""


def _detections(found: Candidates, image: Image) -> Detections:
    """Return candidates as the contract has them: boxes within the `(H, W, 3)` image, keypoints with a score."""
    boxes = clip_boxes(found.bodies_xyxy(), image.shape[1], image.shape[0])
    scores = np.repeat(found.scores[:, None, None], 4, axis=1)
    keypoints = np.concatenate([found.points_px, scores], axis=2).astype(np.float32)
    return Detections(boxes, found.scores, keypoints)


def find_people(image: Image, network: Network, options: BlazePoseDetectorOptions) -> Candidates:
    """Return the people of the picture, best first, after as many looks as it takes."""
    height, width = image.shape[:2]
    whole = View(0, 0, width, height)
    weak = options.min_score * LAST_RESORT
    seen = look(image, whole, network, weak)
    found = _above(seen, options.min_score)
    if options.tiles and not _fills_picture(found, min(width, height)):
        parts = [_inside(look(image, tile, network, options.min_score), tile) for tile in tiles(width, height)]
        found = join([found, without_known(merge_weighted(join([found.take(NONE), *parts])), found)])
    if options.turns and (not len(found) or found.scores.max() < SURE_SCORE):
        views = [View(0, 0, width, height, turns) for turns in (1, 2, 3)]
        turned = [look(image, view, network, weak) for view in views]
        seen = join([seen, *turned])
        found = merge_weighted(join([found, *(_above(part, options.min_score) for part in turned)]))
    if not len(found) and len(seen):
        found = seen.take(np.array([seen.scores.argmax()]))
    return found.take(np.argsort(-found.scores, kind="stable"))


def look(image: Image, view: View, network: Network, min_score: float) -> Candidates:
    """Return the people the network sees in one view, merged, in pixels of the picture."""
    boxed = letterbox(view.cut(image), (INPUT_SIZE_PX, INPUT_SIZE_PX), 0, centred=True)
    heads, points, scores = network(boxed.image)
    sure = (scores >= min_score) & np.isfinite(points).all(axis=(1, 2)) & np.isfinite(heads).all(axis=1)
    corners = view.to_picture(boxed.to_picture(heads[sure].reshape(-1, 2, 2)))
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    placed = view.to_picture(boxed.to_picture(points[sure]))
    return merge_weighted(Candidates(boxes, placed, scores[sure].astype(np.float32)))


def tiles(width_px: int, height_px: int) -> Iterable[View]:
    """Yield overlapping squares over the picture: along its longer side, or a quarter each if it is square."""
    short, long = min(width_px, height_px), max(width_px, height_px)
    side = short if long > 1.2 * short else round(0.6 * long)
    if side < MIN_TILE_PX:
        return
    for top in _starts(height_px, side):
        for left in _starts(width_px, side):
            yield View(left, top, min(side, width_px), min(side, height_px))


def _starts(length_px: int, side_px: int) -> list[int]:
    if length_px <= side_px:
        return [0]
    count = max(2, int(np.ceil((length_px - side_px) / (0.6 * side_px))) + 1)
    count = min(count, MAX_TILES_PER_AXIS)
    return [round(start) for start in np.linspace(0, length_px - side_px, count)]


def _above(candidates: Candidates, min_score: float) -> Candidates:
    return candidates.take(candidates.scores >= min_score)


def _inside(candidates: Candidates, tile: View) -> Candidates:
    """Return those whose body fits into the tile; a body cut by its border is judged wrongly."""
    hips = candidates.points_px[:, 0] - (tile.left_px, tile.top_px)
    size = np.array((tile.width_px, tile.height_px))
    centred = ((hips > 0) & (hips < size)).all(axis=1)
    return candidates.take(centred & (candidates.radii_px < 0.6 * size.max()))


def _fills_picture(candidates: Candidates, short_side_px: int) -> bool:
    return bool((candidates.radii_px >= LARGE_PERSON * short_side_px).any())
