"""Say what is installed, under which licence, and what that does to the licence of the whole."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from .settings import add_verbosity


@dataclass(frozen=True, slots=True)
class Part:
    """A library this application may use."""

    distribution: str
    license: str
    extra: str = ""
    effect: str = ""
    """What passing on the whole with it asks for; empty where the notices are enough."""


GPL = "passed on together, the whole is under the GPL version 3 (or a commercial licence of PyQt6 is needed)"
AGPL = "passed on or served over a network, the whole is under the AGPL version 3 (or ultralytics' enterprise licence)"
RESEARCH = "for non-commercial research only, as are SMPL's own model files"
VENDOR = "the vendor's licence forbids passing it on other than as it says"
PARTS = (
    Part("torch", "BSD-3-Clause"),
    Part("numpy", "BSD-3-Clause"),
    Part("opencv-python", "Apache-2.0 (its wheels carry FFmpeg and Qt 5 under the LGPL)"),
    Part("onnxruntime", "MIT"),
    Part("onnx", "Apache-2.0"),
    Part("moderngl", "MIT"),
    Part("python-osc", "Unlicense"),
    Part("PyYAML", "MIT"),
    Part("safetensors", "Apache-2.0"),
    Part("PyQt6", "GPL-3.0", "viewer", GPL),
    Part("psutil", "BSD-3-Clause", "viewer"),
    Part("ultralytics", "AGPL-3.0", "yolo", AGPL),
    Part("torchvision", "BSD-3-Clause", "yolo"),
    Part("smplx", "non-commercial", "smpl", RESEARCH),
    Part("websockets", "BSD-3-Clause", "web"),
    Part("openvino", "Apache-2.0", "openvino"),
    Part("tensorrt-cu13", "NVIDIA proprietary", "tensorrt", VENDOR),
    Part("tensorrt-rtx", "NVIDIA proprietary", "rtx", VENDOR),
    Part("onnxruntime-gpu", "MIT (the CUDA libraries it loads are NVIDIA proprietary)", "gpu"),
    Part("onnxscript", "MIT", "export"),
    Part("onnxslim", "MIT", "export"),
    Part("onnxconverter-common", "MIT", "export"),
    Part("usd-core", "TOST-1.0 (Apache-2.0 with another trademark clause)", "usd"),
    Part("ezc3d", "MIT", "c3d"),
    Part("matplotlib", "Matplotlib (BSD-like)", "bench"),
    Part("psutil", "BSD-3-Clause", "bench"),
    Part("anny", "Apache-2.0 (its default body: CC0)", "train"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_verbosity(parser)


def main(args: argparse.Namespace) -> int:
    """Print the parts, then what follows from them."""
    print("mocap-app itself, its trained weights and its body: Apache-2.0, Apache-2.0 and CC0\n")
    found = [part for part in PARTS if installed_version(part.distribution)]
    for part in found:
        extra = f" [{part.extra}]" if part.extra else ""
        print(f"{part.distribution} {installed_version(part.distribution)}{extra}: {part.license}")
    print("\n" + "\n".join(conclusion(found)))
    return 0


def installed_version(distribution: str) -> str:
    """Return the installed version, or nothing."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def conclusion(found: list[Part]) -> list[str]:
    """Return what the installed parts mean for the whole."""
    effects = [f"  with {part.distribution}: {part.effect}" for part in found if part.effect]
    if not effects:
        return ["The whole as installed may be used and passed on for any purpose; keep the notices."]
    return [
        "Using it yourself is free for any purpose that these licences allow. As installed here:",
        *effects,
        "Without these extras the whole may be used and passed on for any purpose. THIRD_PARTY.md says more.",
    ]
