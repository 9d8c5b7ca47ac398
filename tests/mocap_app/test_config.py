"""The settings: defaults, files, overrides and everything refused."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from mocap_app.config import AppConfig, changed_keys, default_config_file, load_config
from mocap_app.errors import ConfigError


def _lists(value: object) -> object:
    """Tuples as YAML spells them."""
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, tuple) else value


def test_shipped_file_holds_every_key_at_its_default() -> None:
    shipped = yaml.safe_load(default_config_file().read_text(encoding="utf-8"))
    assert shipped == _lists(asdict(AppConfig()))


def test_shipped_file_loads_to_the_defaults() -> None:
    assert load_config(default_config_file()) == AppConfig() == load_config()


def test_file_flags_and_overrides_in_this_order(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("detector: {every: 3}\nosc:\n  port: 1234\ntracking:\n", encoding="utf-8")
    config = load_config(
        file, ["osc.port=7", "engine.options.runtime=torch"], {"osc.port": 5, "capture.size": [64, 48]}
    )
    assert (config.detector.every, config.osc.port, config.capture.size) == (3, 7, (64, 48))
    assert config.engine.options == {"runtime": "torch"}
    assert changed_keys(config)["osc.port"] == 7
    assert "viewer.show_mesh" not in changed_keys(config)


def test_flag_values_are_not_read_as_yaml() -> None:
    config = load_config(flags={"capture.source": "video", "capture.path": "a: b, [c].mp4"})
    assert config.capture.path == "a: b, [c].mp4"


def test_whole_number_stands_for_a_float_and_a_camera_may_have_a_name() -> None:
    config = load_config(overrides=["motion.smoothing.beta=1", "capture.device=Webcam Pro"])
    assert isinstance(config.motion.smoothing.beta, float)
    assert config.capture.device == "Webcam Pro"


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("engine.nmae=x", ["engine.nmae: unknown key", 'did you mean "name"?']),
        ("engnie.name=x", ["engnie: unknown key", '"engine"']),
        ("motion.smoothing.betta=1", ["motion.smoothing.betta", '"beta"']),
        ("zzz=1", ["zzz", "known are capture"]),
        ("engine.name=deforhm", ["engine.name", '"deforhmr"']),
        ("engine.options.runtme=torch", ["engine.options", '"runtime"']),
        ("engine.options.runtime=wide", ["engine.options", "runtime", "wide"]),
        ("detector.options.min_score=high", ["detector.options", "min_score", "high"]),
        ("detector.every=0", ["detector.every", "found 0", "from 1"]),
        ("detector.every=2.5", ["detector.every", "2.5", "whole number"]),
        ("detector.every=true", ["detector.every", "True", "whole number"]),
        ("viewer.show_mesh=1", ["viewer.show_mesh", "true or false"]),
        ("capture.size=[1280]", ["capture.size", "[1280]", "2 values"]),
        ("capture.size=[0, 5]", ["capture.size", "above 0"]),
        ("capture.fps=-1", ["capture.fps", "above 0"]),
        ("capture.duration_s=.inf", ["capture.duration_s", "found inf", "a number"]),
        ("capture.countdown_s=.nan", ["capture.countdown_s", "found nan", "a number"]),
        ("capture.source=webcam", ["capture.source", "camera"]),
        ("capture.source=video", ["capture.path", "expected"]),
        ("capture.device=-1", ["capture.device", "-1"]),
        ("tracking.min_presence=2", ["tracking.min_presence", "0 to 1"]),
        ("engine.device=gpu", ["engine.device", "cuda:0"]),
        ("motion.smoothing.min_cutoff_hz=0", ["motion.smoothing.min_cutoff_hz", "above 0"]),
        ("motion.smoothing=5", ["motion.smoothing", "expected keys"]),
        ("motion.camera_pitch_deg=91", ["motion.camera_pitch_deg", "-90 to 90"]),
        ("record.formats=[fbz]", ["record.formats", "fbz", "bvh"]),
        ("record.formats=[]", ["record.formats", "at least one"]),
        ("osc.port=70000", ["osc.port", "65535"]),
        ("osc.root_motion=feet", ["osc.root_motion", "hips"]),
        ("record.folder=", ["record.folder", "text"]),
        ("nonsense", ["key=value"]),
        ("a.b=[", ["not YAML"]),
    ],
)
def test_refuses_and_names_the_key(override: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(overrides=[override])
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_two_outputs_in_one_file() -> None:
    with pytest.raises(ConfigError, match="expected two files"):
        load_config(overrides=["record.overlay=out/a.mp4", "record.save_video=out/../out/a.mp4"])


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "just text"])
def test_refuses_a_file_that_is_not_settings(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        load_config(file)


def test_refuses_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_config(tmp_path / "absent.yaml")


def test_names_the_file_a_wrong_key_is_in(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("engine: {precison: x}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"^my\.yaml: engine\.precison: unknown key"):
        load_config(file)


def test_loads_no_heavy_library() -> None:
    heavy = "('torch', 'cv2', 'onnxruntime', 'PyQt6')"
    code = f"import sys, mocap_app.config as c; c.load_config(); print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
