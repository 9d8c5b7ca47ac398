"""The user's own settings: where they lie, how they are read, saved without loss, and put aside."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
import yaml

from mocap_app import cli
from mocap_app.commands import capture, doctor
from mocap_app.config import (
    AppConfig,
    CaptureConfig,
    EngineConfig,
    MotionConfig,
    OscConfig,
    SmoothingConfig,
    VrchatConfig,
    changed_keys,
    flat_keys,
    load_config,
    read_user_settings,
    reset_user_settings,
    save_user_settings,
    user_file,
    with_keys,
)
from mocap_app.config.docs import explain
from mocap_app.errors import ConfigError, UserSettingsError

CHANGED = AppConfig(
    capture=CaptureConfig(size=(640, 480), mirror=True, device="Überkamera: 2"),
    engine=EngineConfig("fastmetro", options={"threads": 2, "configuration": "default"}),
    motion=MotionConfig(SmoothingConfig(beta=0.7), camera_pitch_deg=12.5),
    osc=OscConfig("127.0.0.1", vrm="C:\\avatars\\a b.vrm"),
    vrchat=VrchatConfig(trackers=("hip", "left_foot")),
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's file, in a folder of its own, not there yet."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "mocap-app" / "config.yaml"


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("platform", "variable", "folder", "below"),
    [
        ("win32", "APPDATA", "/roaming", "/roaming/mocap-app/config.yaml"),
        ("win32", "APPDATA", "", "/home/AppData/Roaming/mocap-app/config.yaml"),
        ("darwin", "XDG_CONFIG_HOME", "/xdg", "/home/Library/Application Support/mocap-app/config.yaml"),
        ("linux", "XDG_CONFIG_HOME", "/xdg", "/xdg/mocap-app/config.yaml"),
        ("linux", "XDG_CONFIG_HOME", "relative", "/home/.config/mocap-app/config.yaml"),
        ("linux", "XDG_CONFIG_HOME", "", "/home/.config/mocap-app/config.yaml"),
    ],
)
def test_lies_where_the_platform_keeps_settings(
    platform: str, variable: str, folder: str, below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home"))
    monkeypatch.setenv(variable, folder)
    assert PurePosixPath(user_file().as_posix()) == PurePosixPath(below)


def test_what_was_saved_is_read_again(file: Path) -> None:
    assert save_user_settings(CHANGED) == file
    assert load_config(user=read_user_settings()) == CHANGED
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# Your own settings of mocap-app")
    saved = yaml.safe_load(text)
    assert set(saved) == {"capture", "engine", "motion", "osc", "vrchat"}
    assert saved["motion"] == {"smoothing": {"beta": 0.7}, "camera_pitch_deg": 12.5}


def test_only_keys_asked_for_are_touched_and_defaults_are_taken_out(file: Path) -> None:
    put(file, "capture: {countdown_s: 3.0, mirror: true}\nosc: {port: 4000}\n")
    save_user_settings(replace(CHANGED, capture=CaptureConfig()), ["capture.mirror", "motion.camera_pitch_deg"])
    kept = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert kept == {"capture": {"countdown_s": 3.0}, "motion": {"camera_pitch_deg": 12.5}, "osc": {"port": 4000}}
    assert [p.name for p in file.parent.iterdir()] == ["config.yaml"]


def test_a_full_disk_loses_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_user_settings(CHANGED)
    before = file.read_bytes()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserSettingsError, match=r"config\.yaml: cannot be written \(No space left on device\)"):
        save_user_settings(AppConfig())
    assert file.read_bytes() == before
    assert [p.name for p in file.parent.iterdir()] == ["config.yaml"]


def test_a_broken_file_is_kept_beside_the_new_one(file: Path) -> None:
    put(file, "osc: {port: [")
    save_user_settings(CHANGED)
    assert load_config(user=read_user_settings()) == CHANGED
    assert file.with_name("config.broken.yaml").read_text(encoding="utf-8") == "osc: {port: ["


def test_reset_puts_the_file_aside(file: Path) -> None:
    assert reset_user_settings() is None
    save_user_settings(CHANGED)
    aside = reset_user_settings()
    assert aside is not None
    assert aside.is_file()
    assert read_user_settings() == {}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("osc: {prot: 1}", 'osc.prot: unknown key, did you mean "port"?'),
        ("osc: {port: 0}", "osc.port: found 0"),
        ("a: [", "is not YAML"),
        ("just text", "found str"),
        ("engine: {name: deforhm}", "engine.name"),
    ],
)
def test_a_broken_file_is_named_with_what_to_do_in_one_line(file: Path, text: str, part: str) -> None:
    put(file, text)
    with pytest.raises(UserSettingsError) as caught:
        read_user_settings()
    message = str(caught.value)
    assert message.startswith(str(file))
    assert part in message
    assert message.endswith("mocap-app config --reset")
    assert "\n" not in message


def test_file_flags_and_overrides_win_over_the_users_own(tmp_path: Path) -> None:
    user = {"osc": {"port": 1, "mirror": True}, "detector": {"every": 2}, "tracking": {"max_people": 1}}
    named = tmp_path / "my.yaml"
    named.write_text("osc: {port: 2}\ndetector: {every: 3}\n", encoding="utf-8")
    config = load_config(named, ["osc.port=4"], {"osc.port": 3, "detector.every": 5}, user)
    assert (config.osc.port, config.osc.mirror, config.detector.every, config.tracking.max_people) == (4, True, 5, 1)


def test_options_of_another_engine_are_left_aside() -> None:
    user = {"engine": {"name": "fastmetro", "options": {"configuration": "L-H64"}}}
    assert load_config(user=user).engine.options == {"configuration": "L-H64"}
    chosen = load_config(None, ["engine.options.threads=1"], {"engine.name": "deforhmr"}, user)
    assert (chosen.engine.name, chosen.engine.options) == ("deforhmr", {"threads": 1})


def test_one_key_is_replaced_and_checked() -> None:
    config = with_keys(AppConfig(), {"motion.smoothing.beta": 1, "capture.size": [64, 48], "engine.options": {}})
    assert (config.motion.smoothing.beta, config.capture.size) == (1.0, (64, 48))
    with pytest.raises(ConfigError, match=r"motion\.smoothing\.beta: found -1"):
        with_keys(AppConfig(), {"motion.smoothing.beta": -1})
    with pytest.raises(ConfigError, match=r"engine\.options: deforhmr"):
        with_keys(AppConfig(), {"engine.options": {"no": 1}})


def test_changes_of_smoothing_can_be_written_into_a_take() -> None:
    assert changed_keys(CHANGED)["motion.smoothing.beta"] == 0.7


def test_the_command_line_reads_them_and_can_leave_them_out(file: Path) -> None:
    put(file, "capture: {device: 3}\nosc: {host: 10.0.0.7}\n")
    parser = cli.build_parser(cli.CAPTURE, capture)
    config, notice = capture.settings_or_notice(parser.parse_args(["--osc", "127.0.0.1:5"]))
    assert (config.capture.device, config.osc.host, notice) == (3, "127.0.0.1", "")
    config, _ = capture.settings_or_notice(parser.parse_args(["--no-user-settings"]))
    assert config == AppConfig()


def test_a_broken_file_keeps_no_window_shut_but_stops_a_capture(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(file, "engine: {nmae: x}")
    opened: list[tuple[AppConfig, str]] = []
    monkeypatch.setattr(capture, "open_window", lambda config, notice, **_: opened.append((config, notice)) or 0)
    assert cli.run(["--camera", "2"]) == 0
    assert opened[0][0].capture.device == 2
    assert str(file) in opened[0][1]
    capsys.readouterr()
    assert cli.run(["--camera", "2", "--headless"]) == 2
    told = capsys.readouterr().err
    assert str(file) in told
    assert len(told.strip().splitlines()) == 1
    assert cli.run(["--set", "osc.port=0"]) == 2, "a fault elsewhere is still refused"


def test_the_command_says_where_and_what(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["config"]) == 0
    assert "no such file" in capsys.readouterr().out
    save_user_settings(CHANGED)
    assert cli.run(["config"]) == 0
    told = capsys.readouterr().out
    assert str(file) in told
    assert "motion.smoothing.beta = 0.7" in told
    assert doctor.check_settings().found == f"{file}: 10 changed"
    assert cli.run(["config", "--reset"]) == 0
    assert not file.exists()
    put(file, "x: 1")
    assert doctor.check_settings().verdict == "warn"


def test_every_setting_is_explained() -> None:
    missing = [key for key in flat_keys(AppConfig()) if not explain(key)]
    assert missing == []
