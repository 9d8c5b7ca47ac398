"""Check this machine: libraries, graphics, weights, detectors, cameras, network. Each line says ok, warn or fail.

Exits with 0 where nothing failed; a warning names what will not work and what to do.
"""

from __future__ import annotations

import argparse
import os
import platform
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from .. import __version__
from ..config import EngineConfig, changed_keys, load_config, read_user_settings, user_file
from ..errors import UserSettingsError
from .licenses import installed_version
from .settings import add_verbosity


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    verdict: str
    """ok | warn | fail."""
    found: str
    advice: str = ""
    """What to do; empty for ok."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_verbosity(parser)


def main(args: argparse.Namespace) -> int:
    """Run every check and print its line."""
    print(f"mocap-app {__version__} on {platform.platform()}, {os.cpu_count()} CPU cores")
    verdicts = []
    for name, check in CHECKS.items():
        finding = guarded(check)
        verdicts.append(finding.verdict)
        advice = f"\n{'':23}-> {finding.advice}" if finding.advice else ""
        print(f"{finding.verdict:<5} {name:<16} {finding.found}{advice}")
    failed = verdicts.count("fail")
    print(f"{failed} failed, {verdicts.count('warn')} warnings" if any(v != "ok" for v in verdicts) else "all is well")
    return 1 if failed else 0


def guarded(check: Callable[[], Finding]) -> Finding:
    """Run `check`; whatever it raises is a finding, for a report must reach its end."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001
        reason = " ".join(str(error).split()) or type(error).__name__
        return Finding("fail", reason, "install the package again: pip install --force-reinstall mocap-app")


def check_python() -> Finding:
    """Python's version."""
    return Finding("ok", f"{platform.python_version()} ({sys.executable})")


def check_torch() -> Finding:
    """Torch, and whether a GPU is there."""
    import torch

    if not torch.cuda.is_available():
        return Finding("ok", f"{torch.__version__}, no CUDA device: everything runs on the CPU")
    names = ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
    return Finding("ok", f"{torch.__version__}, --device cuda:0 is {names}")


def check_onnxruntime() -> Finding:
    """ONNX Runtime, and where it can run networks."""
    import onnxruntime

    if installed_version("onnxruntime") and installed_version("onnxruntime-gpu"):
        advice = "they share one folder: pip uninstall onnxruntime onnxruntime-gpu, then install one"
        return Finding("warn", "onnxruntime and onnxruntime-gpu are both installed", advice)
    return Finding("ok", f"{onnxruntime.__version__}: {', '.join(onnxruntime.get_available_providers())}")


def check_opencv() -> Finding:
    """OpenCV, which reads cameras and videos."""
    import cv2

    return Finding("ok", cv2.__version__)


def check_graphics() -> Finding:
    """An OpenGL context without a window."""
    from engines.errors import RuntimeUnavailableError
    from engines.rendering.context import create_context

    try:
        context = create_context()
    except RuntimeUnavailableError as error:
        return Finding("fail", str(error), "without it there is no overlay, no demo and no mesh in the window")
    renderer = context.info["GL_RENDERER"]
    context.release()
    return Finding("ok", renderer)


def check_weights() -> Finding:
    """The shipped assets against their sha256."""
    from engines.errors import WeightsError
    from engines.weights import assets_folder, check_sha256, read_sums

    sums = read_sums(assets_folder())
    if not sums:
        return Finding("fail", f"no list of weights in {assets_folder()}", "install the package again")
    try:
        for name in sums:
            if not (assets_folder() / name).is_file():
                return Finding("fail", f"{assets_folder() / name} is missing", "install the package again")
            check_sha256(assets_folder() / name, must_be_listed=True)
    except WeightsError as error:
        return Finding("fail", str(error), "install the package again")
    return Finding("ok", f"{len(sums)} files, every sha256 as expected")


def check_engine() -> Finding:
    """The default engine, loaded and asked for one body."""
    from engines.registry import build_engine
    from engines.types import Regions

    name = EngineConfig().name
    square = Regions(np.full((1, 2), 128, np.float32), np.full(1, 256, np.float32), np.zeros(1, np.float32))
    begun_s = time.perf_counter()
    engine = build_engine(name)
    try:
        loaded_s = time.perf_counter()
        engine.predict(np.zeros((256, 256, 3), np.uint8), square)
        done_s = time.perf_counter()
    finally:
        engine.close()
    took = f"loaded in {loaded_s - begun_s:.1f} s, a first body in {done_s - loaded_s:.2f} s"
    return Finding("ok", f"{name} {took}")


def check_detectors() -> Finding:
    """Which detectors can run."""
    if find_spec("ultralytics") is None:
        advice = 'for crowds and small people: pip install "mocap-app[yolo]"'
        return Finding("ok", f"blazepose (shipped); yolo is not installed ({advice})")
    return Finding("ok", f"blazepose (shipped), yolo (ultralytics {installed_version('ultralytics')})")


def check_window() -> Finding:
    """The library of the window."""
    if find_spec("PyQt6") is None:
        return Finding(
            "warn", "PyQt6 is not installed: no window", 'pip install "mocap-app[viewer]", or use --headless'
        )
    screen = sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not screen:
        return Finding("warn", f"PyQt6 {installed_version('PyQt6')}, but no screen", "use --headless here")
    return Finding("ok", f"PyQt6 {installed_version('PyQt6')}")


def check_cameras() -> Finding:
    """The cameras."""
    from ..capture.devices import list_cameras

    cameras = list_cameras()
    if not cameras:
        return Finding("warn", "none found", "plug one in, or use --video FILE")
    return Finding("ok", ", ".join(f"{camera.index} {camera.name}".strip() for camera in cameras))


def check_network() -> Finding:
    """A datagram to this machine and back, as live motion is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(1.0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"mocap-app", receiver.getsockname())
        try:
            receiver.recv(64)
        except TimeoutError:
            return Finding("fail", "a UDP datagram to this machine is lost", "let UDP pass in the firewall")
    return Finding("ok", "UDP on this machine works")


def check_settings() -> Finding:
    """The user's own settings."""
    try:
        count = len(changed_keys(load_config(user=read_user_settings())))
    except UserSettingsError as error:
        return Finding("warn", str(error), "until then the window opens with the defaults")
    told = f"{count} changed" if count else "none" if user_file().exists() else "no such file, the defaults apply"
    return Finding("ok", f"{user_file()}: {told}")


CHECKS: dict[str, Callable[[], Finding]] = {
    "python": check_python,
    "torch": check_torch,
    "onnxruntime": check_onnxruntime,
    "opencv": check_opencv,
    "graphics": check_graphics,
    "weights": check_weights,
    "engine": check_engine,
    "detectors": check_detectors,
    "window": check_window,
    "cameras": check_cameras,
    "network": check_network,
    "settings": check_settings,
}
