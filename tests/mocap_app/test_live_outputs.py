"""Live outputs in a session: all at once, and whatever becomes of them, the recording is whole."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exporters import VmcStream, VrchatOptions, WebOptions
from exporters.errors import StreamError
from exporters.files import read_take
from exporters.vmc import VmcOptions
from exporters.vrchat import TRACKER_JOINTS
from mocap_app import config as settings
from mocap_app.commands import capture
from mocap_app.config import (
    AppConfig,
    CaptureConfig,
    DetectorConfig,
    EngineConfig,
    OscConfig,
    RecordConfig,
    VrchatConfig,
    WebConfig,
    load_config,
)
from mocap_app.errors import ConfigError
from mocap_app.pipeline import build_session, live_outputs

FRAMES = 30


def config(folder: Path, **outputs: object) -> AppConfig:
    drawn = AppConfig(
        capture=CaptureConfig(source="synthetic", size=(160, 120), duration_s=1.0),
        engine=EngineConfig(name="synthetic"),
        detector=DetectorConfig(name="synthetic"),
        record=RecordConfig(folder=str(folder)),
    )
    return replace(drawn, **outputs)


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_recording(folder: Path) -> None:
    assert len(read_take(folder / "synthetic_person1.npz")) == FRAMES
    assert (folder / "synthetic_person1.bvh").is_file()


def test_all_at_once_with_every_receiver_gone(tmp_path):
    pytest.importorskip("websockets")
    session = build_session(
        config(
            tmp_path,
            osc=OscConfig(host="127.0.0.1", port=free_port()),
            vrchat=VrchatConfig(host="127.0.0.1", port=free_port()),
            web=WebConfig(host="127.0.0.1", port=free_port(socket.SOCK_STREAM)),
        )
    )
    session.start()
    session.join()
    check_recording(tmp_path)
    summary = session.stats.summary()
    assert set(summary.ages) == {"osc", "vrchat", "web"}
    assert summary.sent["osc"] > 0
    assert summary.sent["vrchat"] > 0
    assert summary.sent["web"] == 0, "nobody watches"
    assert summary.failed == {}


def test_a_stream_that_fails_is_detached_and_the_recording_goes_on(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("the wire is cut")

    monkeypatch.setattr(VmcStream, "send", fail)
    session = build_session(config(tmp_path, osc=OscConfig(host="127.0.0.1", port=free_port())))
    detached: list[str] = []
    session.listen(lambda event: detached.append(event.detached) if event.detached else None)
    session.start()
    session.join()
    check_recording(tmp_path)
    assert detached == ["osc"]
    assert "osc" in session.stats.summary().failed


def taken_port() -> tuple[socket.socket, int]:
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    return taken, int(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (lambda port: {"osc": OscConfig(host="no such host.invalid")}, "cannot be looked up"),
        (lambda port: {"osc": OscConfig(host="127.0.0.1", vrm="absent.vrm")}, "absent.vrm: cannot be read"),
        (lambda port: {"vrchat": VrchatConfig(host="no such host.invalid")}, "cannot be looked up"),
        (lambda port: {"web": WebConfig(host="127.0.0.1", port=port)}, "cannot listen at"),
    ],
)
def test_one_that_cannot_be_opened_says_why(tmp_path, outputs: Callable[[int], dict[str, object]], message):
    pytest.importorskip("websockets")
    taken, port = taken_port()
    with taken:
        session = build_session(config(tmp_path, **outputs(port)))
        session.start()
        with pytest.raises(StreamError, match=message):
            session.join()
        (reason,) = session.stats.summary().failed.values()
        assert message in reason


def test_flags_and_settings_become_options():
    flags = ["--osc", "10.0.0.2:39540", "--vrchat", ":9001", "--web", "0.0.0.0:80"]
    parser = capture.argparse.ArgumentParser()
    capture.add_arguments(parser)
    given = capture.source_settings(parser.parse_args(flags))
    config = load_config(
        overrides=["osc.vrm=a.vrm", "osc.rate_hz=30", "vrchat.trackers=[hip, head]", "vrchat.height_m=1.7",
                   "web.origins=['https://a.org']", "tracking.max_people=3", "osc.mirror=true"],
        flags=given,
    )  # fmt: skip
    assert live_outputs(config) == {
        "osc": VmcOptions("10.0.0.2", 39540, "root", True, False, 3, 30.0, "a.vrm"),
        "vrchat": VrchatOptions("127.0.0.1", 9001, ("hip", "head"), 1.7),
        "web": WebOptions("0.0.0.0", 80, ("https://a.org",)),
    }
    assert live_outputs(load_config()) == {}
    port_alone = capture.source_settings(parser.parse_args(["--web", "8765"]))
    assert port_alone == {"web.host": "127.0.0.1", "web.port": 8765}
    with pytest.raises(ConfigError, match="--web: found"):
        capture.source_settings(parser.parse_args(["--web", "here"]))


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("osc.rate_hz=20", ["osc.rate_hz", "30 to 120"]),
        ("vrchat.trackers=[hip, tail]", ["vrchat.trackers", "tail", "left_foot"]),
        ("vrchat.trackers=[]", ["vrchat.trackers", "each once"]),
        ("vrchat.height_m=170", ["vrchat.height_m", "metres"]),
        ("web.port=0", ["web.port", "65535"]),
    ],
)
def test_wrong_settings_are_refused(override, words):
    with pytest.raises(ConfigError) as refused:
        load_config(overrides=[override])
    for word in words:
        assert word in str(refused.value)


def test_settings_and_library_name_the_same_trackers():
    assert tuple(TRACKER_JOINTS) == settings.TRACKERS
    assert VrchatOptions().trackers == VrchatConfig().trackers
    assert json.loads(json.dumps(VrchatConfig().trackers))


def test_a_web_stream_alone_is_an_output():
    assert capture.with_an_output(load_config(overrides=["web.host=127.0.0.1"])).record.folder == ""
    assert capture.with_an_output(load_config(overrides=["vrchat.host=127.0.0.1"])).record.folder == ""


@pytest.mark.parametrize("section", ["osc", "vrchat", "web"])
def test_pictures_are_not_streamed(section):
    config = load_config(overrides=[f"{section}.host=127.0.0.1", "capture.source=images", "capture.path=x"])
    with pytest.raises(ConfigError, match=f"--{section}"):
        build_session(config)
