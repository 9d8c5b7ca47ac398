"""Readers of the labelled test pictures. Each yields `Item`s; nothing here ships any picture."""

from __future__ import annotations

import json
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ..types import FloatArray, Image
from .items import LIMB_JOINTS, Item, torso_length

VIDEO_LINES = ("balancing_cam01", "balancing_cam02")
LINES = (*VIDEO_LINES, "images3d", "lspet")


def read_line(data: Path, line: str, limit: int | None = None) -> Iterator[Item]:
    """Yield the items of one line of the table from the folder `data`, at most `limit`.

    Raises:
        ValueError: No such line.
        FileNotFoundError: Its files are not in `data`.
    """
    if line in VIDEO_LINES:
        return read_balancing(data / "pose2sim", line, limit)
    if line == "images3d":
        return read_images3d(data / "images3d", limit)
    if line == "lspet":
        return read_lspet(data / "images2d", limit)
    raise ValueError(f'line "{line}" is unknown; known are {", ".join(LINES)}; choose one of these')


def read_balancing(folder: Path, line: str, limit: int | None) -> Iterator[Item]:
    """Yield the frames of one camera; labels are triangulated markers, projected with the calibration."""
    with (folder / "Calib_qualisys.toml").open("rb") as file:
        camera = tomllib.load(file)[line.removeprefix("balancing_").replace("cam", "cam_")]
    labels_m = _read_trc(folder / "balancing_3d_f000-039.trc")
    for index, image in enumerate(read_video(folder / f"{line}_f000-039.mp4")):
        if index >= min(len(labels_m), limit or len(labels_m)):
            return
        rotation, translation = np.array(camera["rotation"]), np.array(camera["translation"])
        matrix, distortion = np.array(camera["matrix"]), np.array(camera["distortions"])
        world = labels_m[index].astype(np.float64)
        pixels = cv2.projectPoints(world, rotation, translation, matrix, distortion)[0][:, 0]
        labels_px = pixels.astype(np.float32)
        yield Item(f"{line}/{index:04d}", image, labels_px, labels_m[index], torso_length(labels_px))


def _read_trc(path: Path) -> FloatArray:
    """Return `(T, 12, 3)` metres in the calibration's world frame, z up (the file's is y up)."""
    lines = path.read_text(encoding="utf-8").splitlines()
    names = [name for name in lines[3].split("\t")[2:] if name.strip()]
    rows = np.array([[float(x) for x in row.split("\t")[2:] if x.strip()] for row in lines[5:] if row.strip()])
    markers = rows.reshape(len(rows), -1, 3)[..., [2, 0, 1]]
    spelled = [joint.split("_")[0][0].upper() + joint.split("_")[1].capitalize() for joint in LIMB_JOINTS]
    return markers[:, [names.index(name) for name in spelled]].astype(np.float32)


def read_video(path: Path) -> Iterator[Image]:
    """Yield the frames of a video file, RGB."""
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise FileNotFoundError(f"{path}: cannot be opened as a video; expected a test video there")
    try:
        while True:
            good, image = capture.read()
            if not good:
                return
            yield np.ascontiguousarray(image[..., ::-1], np.uint8)
    finally:
        capture.release()


def read_images3d(folder: Path, limit: int | None) -> Iterator[Item]:
    """Yield the single pictures with labels of motion-capture laboratories."""
    entries = json.loads((folder / "ground_truth.json").read_text(encoding="utf-8"))["images"]
    for entry in sorted(entries, key=lambda entry: entry["file"])[:limit]:
        rows = [entry["joint_names"].index(name) for name in LIMB_JOINTS]
        labels_m = np.array(entry["joints3d_camera_m"], np.float32)[rows]
        labels_px = np.array(entry["joints2d_px"], np.float32)[rows, :2]
        image = _decode((folder / entry["file"]).read_bytes())
        yield Item(f"images3d/{entry['file']}", image, labels_px, labels_m, torso_length(labels_px))


def read_lspet(folder: Path, limit: int | None) -> Iterator[Item]:
    """Yield pictures of the Leeds Sports Poses extended set in the order of their names, labelled in 2-D."""
    with np.load(folder / "lspet_joints.npz") as file:
        names, joints = list(file["files"]), file["joints"]
        rows = [list(file["joint_names"]).index(name) for name in LIMB_JOINTS]
    with tarfile.open(folder / "lspet.tar") as tar:
        for member in sorted(m for m in tar.getnames() if m.endswith(".jpg"))[:limit]:
            name = Path(member).name
            labels = joints[names.index(name)][rows]
            labels_px = np.where(labels[:, 2:] > 0, labels[:, :2], np.nan).astype(np.float32)
            stored = tar.extractfile(member)
            assert stored is not None  # it was listed as a file
            yield Item(f"lspet/{name}", _decode(stored.read()), labels_px, None, torso_length(labels[:, :2]))


def _decode(encoded: bytes) -> Image:
    """Return `(H, W, 3)` RGB of an encoded picture."""
    image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("found bytes that are no picture; expected an encoded one; fetch the test pictures again")
    return np.ascontiguousarray(image[..., ::-1], np.uint8)
