"""What the window offers to change, in which words and bounds; no Qt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engines.registry import DETECTORS, ENGINES
from mocap_app.config import (
    AppConfig,
    DetectorConfig,
    EngineConfig,
    MotionConfig,
    OscConfig,
    RecordConfig,
    SmoothingConfig,
    ViewerConfig,
    flat_keys,
    load_config,
    read_user_settings,
    save_user_settings,
)
from mocap_app.errors import ConfigError
from mocap_app.viewer.settings_model import (
    Applies,
    Kind,
    Setting,
    effect_of,
    saved_keys,
    settings_of,
    spell,
    value_of,
    with_value,
)
from mocap_app.viewer.settings_table import OPTION_ROWS, ROWS
from mocap_app.viewer.sources import demo_of


def by_key(config: AppConfig) -> dict[str, Setting]:
    return {setting.key: setting for setting in settings_of(config)}


def every_choice() -> list[AppConfig]:
    """Settings with each engine and each detector, so that every option is looked at."""
    engines = [AppConfig(engine=EngineConfig(name)) for name in ENGINES]
    return engines + [AppConfig(detector=DetectorConfig(name)) for name in DETECTORS]


@pytest.mark.parametrize("config", every_choice(), ids=lambda c: f"{c.engine.name}-{c.detector.name}")
def test_every_setting_says_what_it_is_and_takes_its_own_default(config: AppConfig) -> None:
    for setting in settings_of(config):
        assert setting.row.group
        assert setting.row.label
        assert setting.meaning.endswith("."), setting.key
        assert not {"null", "None", " | "} & set(setting.meaning.split()), setting.meaning
        assert setting.key in setting.tooltip
        assert spell(setting, setting.default) in setting.tooltip
        assert with_value(config, setting, value_of(config, setting.key)) == config


def test_every_row_and_option_is_one() -> None:
    keys = flat_keys(AppConfig())
    assert set(ROWS) <= set(keys)
    options = {s.key.rpartition(".")[2] for c in every_choice() for s in settings_of(c) if ".options." in s.key}
    assert set(OPTION_ROWS) == options
    assert all(row.needs in (*keys, "") for row in ROWS.values())


@pytest.mark.parametrize("config", every_choice(), ids=lambda c: f"{c.engine.name}-{c.detector.name}")
def test_bounds_are_what_the_settings_take(config: AppConfig) -> None:
    for setting in settings_of(config):
        if setting.kind in (Kind.WHOLE, Kind.NUMBER):
            assert setting.row.low is not None, setting.key
            assert setting.row.high is not None
            number = int if setting.kind is Kind.WHOLE else float
            for bound in (setting.row.low, setting.row.high):
                changed = with_value(config, setting, number(bound))
                assert value_of(changed, setting.key) == number(bound)


def test_kinds_follow_the_types() -> None:
    kinds = {key: setting.kind for key, setting in by_key(AppConfig(detector=DetectorConfig("blazepose"))).items()}
    assert kinds["engine.name"] is kinds["capture.size"] is kinds["engine.options.runtime"] is Kind.CHOICE
    assert kinds["tracking.max_people"] is kinds["engine.options.threads"] is Kind.WHOLE
    assert kinds["motion.smoothing.beta"] is kinds["capture.fps"] is kinds["motion.focal_px"] is Kind.NUMBER
    assert kinds["detector.options.tiles"] is kinds["capture.mirror"] is Kind.TOGGLE
    assert kinds["record.formats"] is Kind.SEVERAL
    assert (kinds["viewer.folder"], kinds["engine.options.weights"]) == (Kind.FOLDER, Kind.FILE)


def test_another_engine_keeps_the_options_it_knows() -> None:
    config = AppConfig(engine=EngineConfig("fastmetro", options={"threads": 2, "configuration": "S-R50"}))
    changed = with_value(config, by_key(config)["engine.name"], "deforhmr")
    assert changed.engine == EngineConfig("deforhmr", options={"threads": 2})
    assert "engine.options.threads" not in by_key(replace(config, engine=EngineConfig("synthetic")))


def test_an_option_at_its_default_is_left_out() -> None:
    config = AppConfig()
    threads = by_key(config)["engine.options.threads"]
    changed = with_value(config, threads, 4)
    assert changed.engine.options == {"threads": 4}
    assert with_value(changed, threads, 0) == config


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("engine.device", "gpu", "Found 'gpu', expected cpu or cuda:0."),
        ("tracking.min_presence", 2.0, "Found 2.0, expected a number from 0 to 1."),
        ("engine.options.threads", -1, "Found -1, expected 0 or more; change it."),
        ("engine.options.runtime", "fast", "Found 'fast', expected auto, torch"),
        ("tracking.max_people", "x", "Found 'x', expected a whole number."),
        ("engine.options.weights", "/nowhere/w.safetensors", "There is no such file; check the path."),
        ("record.formats", (), "Found (), expected at least one of npz"),
    ],
)
def test_what_is_refused_is_said_without_the_key(key: str, value: object, words: str) -> None:
    config = AppConfig()
    with pytest.raises(ConfigError) as caught:
        with_value(config, by_key(config)[key], value)
    assert str(caught.value).startswith(words)
    assert key not in str(caught.value)


def test_a_file_that_is_there_and_a_model_by_name_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    file.touch()
    config = AppConfig(detector=DetectorConfig("yolo"))
    settings = by_key(config)
    assert with_value(config, settings["engine.options.weights"], str(file)).engine.options == {"weights": str(file)}
    assert with_value(config, settings["detector.options.weights"], "yolo11s.pt").detector.options


def test_what_a_change_asks_for() -> None:
    config = AppConfig()
    calm = replace(config, motion=MotionConfig(SmoothingConfig(beta=0.1)))
    formats = replace(calm, record=RecordConfig(formats=("npz",)))
    assert effect_of(config, config) is Applies.NEVER
    assert effect_of(config, replace(config, viewer=ViewerConfig(show_mesh=False))) is Applies.LIVE
    assert effect_of(config, calm) is Applies.LIVE
    assert effect_of(config, formats) is Applies.RECORDING
    assert effect_of(config, replace(formats, osc=OscConfig("127.0.0.1"))) is Applies.SESSION
    assert effect_of(calm, replace(calm, motion=replace(calm.motion, camera_pitch_deg=3.0))) is Applies.SESSION


def test_search_finds_by_label_meaning_key_and_choice() -> None:
    settings = settings_of(AppConfig())

    def found(words: str) -> set[str]:
        return {setting.key for setting in settings if setting.matches(words)}

    assert found("people at most") == {"tracking.max_people"}
    assert found("SMOOTHING beta") == {"motion.smoothing.beta"}
    assert "engine.options.runtime" in found("openvino")
    assert found("zebra") == set()


def test_a_value_from_elsewhere_is_among_the_choices() -> None:
    config = load_config(overrides=["capture.size=[800, 600]", "engine.device=cuda:1"])
    settings = by_key(config)
    assert "800 × 600" in [choice.text for choice in settings["capture.size"].choices]
    assert "cuda:1" in [choice.value for choice in settings["engine.device"].choices]


def test_what_must_be_fetched_first_says_so() -> None:
    sizes = {choice.value: choice for choice in by_key(AppConfig())["engine.options.configuration"].choices}
    assert sizes["default"].is_here
    assert not sizes["paper"].is_here
    assert "no decoder was published" in sizes["paper"].hint


def test_everything_the_panels_change_is_saved_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    shown = ["osc.host=10.0.0.2", "tracking.max_people=2", "engine.options.threads=3"]
    config = load_config(overrides=[*shown, "capture.duration_s=3", "record.folder=x"])
    save_user_settings(config, saved_keys(config), file)
    assert load_config(user=read_user_settings(file)) == load_config(overrides=shown)
    demo = demo_of(load_config(overrides=["tracking.max_people=1"]))
    assert demo.motion.camera_pitch_deg
    save_user_settings(demo, saved_keys(demo), file)
    assert read_user_settings(file) == {"tracking": {"max_people": 1}}, "the demo's camera is not the user's"
    save_user_settings(AppConfig(), saved_keys(AppConfig()), file)
    assert read_user_settings(file) == {}
