"""What can be chosen to film or read: cameras that were found, files that were dropped, addresses. No Qt."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from ..config import AppConfig, CaptureConfig
from ..errors import ConfigError

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".mts", ".3gp")
DEMO_CLIP = Path(__file__).resolve().parents[1] / "demo" / "actor.webm"
"""The demo actor, rendered by `scripts/make_demo_clip.py`."""
DEMO_PITCH_DEG, DEMO_FOCAL_PX = 5.0, 768.0
"""Of the camera that the clip was rendered with."""
STREAM_SCHEMES = ("rtsp://", "rtmp://", "http://", "https://", "udp://", "srt://", "tcp://", "rtp://")


@dataclass(frozen=True, slots=True)
class CameraMode:
    """A size and a rate that a camera has."""

    size_wh: tuple[int, int]
    fps: float

    @property
    def title(self) -> str:
        """As the list of modes shows it."""
        rate = f", {self.fps:g} fps" if self.fps > 0 else ""
        return f"{self.size_wh[0]} × {self.size_wh[1]}{rate}"


@dataclass(frozen=True, slots=True)
class CameraChoice:
    """A camera of this machine."""

    index: int
    name: str
    modes: tuple[CameraMode, ...] = ()

    @property
    def title(self) -> str:
        """As the list of sources shows it."""
        return self.name or f"Camera {self.index}"


def read_cameras(text: str) -> tuple[CameraChoice, ...]:
    """Return the cameras that `mocap-app devices --json` printed.

    Raises:
        ConfigError: It is not that list.
    """
    try:
        return tuple(_read_camera(entry) for entry in json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"the list of cameras cannot be read ({error}); press Refresh to ask again") from error


def _read_camera(entry: dict) -> CameraChoice:
    modes = tuple(
        dict.fromkeys(CameraMode((int(m["size"][0]), int(m["size"][1])), float(m["fps"])) for m in entry["modes"])
    )
    return CameraChoice(int(entry["index"]), str(entry["name"]), modes)


def capture_of_camera(config: CaptureConfig, camera: int, mode: CameraMode | None = None) -> CaptureConfig:
    """Return `config` filming with `camera`, in `mode` or as the camera likes."""
    size, fps = (mode.size_wh, mode.fps or None) if mode else (None, None)
    return replace(_calm(config), source="camera", device=camera, path="", size=size, fps=fps, realtime=False)


def capture_of_path(config: CaptureConfig, path: Path) -> CaptureConfig:
    """Return `config` reading what was dropped: a video as if it were a camera, or a folder of pictures.

    Raises:
        ConfigError: It is neither.
    """
    kept = replace(_calm(config), size=None, fps=None)
    if path.is_dir():
        return replace(kept, source="images", path=str(path), realtime=False)
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file, expected a video or a folder of pictures")
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        known = ", ".join(suffix[1:] for suffix in VIDEO_SUFFIXES)
        raise ConfigError(f"{path.name}: is no video that is known here, expected one of {known}, or a folder")
    return preview_of(replace(kept, source="video", path=str(path)))


def capture_of_stream(config: CaptureConfig, url: str) -> CaptureConfig:
    """Return `config` reading the network stream at `url`.

    Raises:
        ConfigError: It is no address of a stream.
    """
    url = url.strip()
    if not url.lower().startswith(STREAM_SCHEMES):
        known = " ".join(STREAM_SCHEMES[:5])
        raise ConfigError(f'"{url}" is no address of a stream: it begins with one of {known}')
    return replace(_calm(config), source="stream", path=url, size=None, fps=None, realtime=False)


def preview_of(capture: CaptureConfig) -> CaptureConfig:
    """Return a video played again and again at its own pace, to look at."""
    return replace(capture, realtime=True, loop=True)


def whole_of(capture: CaptureConfig) -> CaptureConfig:
    """Return a video read once, every frame of it, to be recorded."""
    return replace(capture, realtime=False, loop=False)


def is_preview(capture: CaptureConfig) -> bool:
    """Say whether a video is only looked at, so that recording it means reading it from its beginning."""
    return capture.source == "video" and capture.loop


def demo_of(config: AppConfig) -> AppConfig:
    """Return `config` playing the demo actor again and again, seen by the camera it was rendered with."""
    kept = replace(_calm(config.capture), size=None, fps=None, mirror=False, rotation=0)
    return replace(
        config,
        capture=preview_of(replace(kept, source="video", path=str(DEMO_CLIP))),
        motion=replace(config.motion, camera_pitch_deg=DEMO_PITCH_DEG, focal_px=DEMO_FOCAL_PX),
    )


def is_demo(capture: CaptureConfig) -> bool:
    """Say whether the demo actor plays."""
    return capture.source == "video" and capture.path == str(DEMO_CLIP)


def source_title(capture: CaptureConfig, cameras: tuple[CameraChoice, ...] = ()) -> str:
    """Return the source's name for people."""
    if capture.source == "camera":
        named = [camera.title for camera in cameras if camera.index == capture.device]
        return named[0] if named else f"Camera {capture.device}"
    if is_demo(capture):
        return "Demo actor"
    if capture.source in ("video", "images"):
        return Path(capture.path).name
    return "Network stream" if capture.source == "stream" else "Drawn figure"


def _calm(config: CaptureConfig) -> CaptureConfig:
    """Return `config` without what belonged to one run."""
    return replace(config, countdown_s=0.0, duration_s=None, loop=False)
