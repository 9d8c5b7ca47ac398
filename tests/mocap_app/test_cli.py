"""The command line: flags become settings, errors are one line, the main job runs."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from mocap_app import __version__, cli, pipeline
from mocap_app.capture.synthetic import draw_figure
from mocap_app.commands import capture, licenses, messages, settings
from mocap_app.config import AppConfig, load_config
from mocap_app.errors import ConfigError

SYNTHETIC = ["--engine", "synthetic", "--detector", "synthetic", "--headless"]
DRAWN = ["--set", "capture.source=synthetic", *SYNTHETIC]


def parse(*argv: str) -> tuple[argparse.Namespace, AppConfig]:
    args = cli.build_parser(cli.CAPTURE, capture).parse_args(argv)
    return args, settings.read_settings(args, capture.source_settings(args))


def test_every_flag_reaches_its_setting() -> None:
    _, config = parse(
        "--video", "a b.mp4", "--size", "1280x720", "--fps", "60", "--mirror", "--realtime", "--countdown", "3",
        "--duration", "2.5", "--output", "out", "--formats", "npz,bvh", "--osc", "[::1]:4000", "--overlay", "o.mp4",
        "--save-video", "v.mp4", "--engine", "synthetic", "--detector", "blazepose", "--device", "cuda:1",
        "--max-people", "3", "--set", "osc.mirror=true",
    )  # fmt: skip
    assert (config.capture.source, config.capture.path) == ("video", "a b.mp4")
    assert (config.capture.size, config.capture.fps) == ((1280, 720), 60.0)
    assert config.capture.mirror
    assert config.capture.realtime
    assert (config.capture.countdown_s, config.capture.duration_s) == (3.0, 2.5)
    assert (config.record.folder, config.record.formats) == ("out", ("npz", "bvh"))
    assert (config.record.overlay, config.record.save_video) == ("o.mp4", "v.mp4")
    assert (config.osc.host, config.osc.port, config.osc.mirror) == ("::1", 4000, True)
    assert (config.engine.name, config.engine.device, config.detector.name) == ("synthetic", "cuda:1", "blazepose")
    assert config.tracking.max_people == 3


@pytest.mark.parametrize(
    ("flag", "value", "source"),
    [("--images", "d", "images"), ("--stream", "udp://x", "stream"), ("--camera", "2", "camera")],
)
def test_source_flags(flag: str, value: str, source: str) -> None:
    _, config = parse(flag, value)
    assert config.capture.source == source
    assert value in (config.capture.path, str(config.capture.device))


def test_a_camera_may_be_named() -> None:
    assert parse("--camera", "Brio")[1].capture.device == "Brio"


@pytest.mark.parametrize(
    ("argv", "window"),
    [
        ((), True),
        (("--camera", "0"), True),
        (("--stream", "udp://x"), True),
        (("--camera", "0", "--headless"), False),
        (("--video", "f"), False),
        (("--video", "f", "--window"), True),
        (("--images", "d"), False),
    ],
)
def test_which_source_opens_the_window(argv: tuple[str, ...], window: bool) -> None:
    assert capture.wants_window(*parse(*argv)) is window


@pytest.mark.parametrize(
    ("argv", "names"),
    [((), False), (("--camera", "0"), True), (("--set", "capture.device=1"), True), (("--mirror",), False)],
)
def test_without_a_named_source_the_window_looks_for_one(argv: tuple[str, ...], names: bool) -> None:
    assert capture.names_source(*parse(*argv)) is names


def test_records_into_a_default_folder_only_where_no_output_is_named() -> None:
    assert capture.with_an_output(load_config()).record.folder == "takes"
    assert capture.with_an_output(load_config(overrides=["osc.host=127.0.0.1"])).record.folder == ""


@pytest.mark.parametrize("text", ["localhost", "host:", "host:port", "9000:"])
def test_refuses_a_wrong_address(text: str) -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        settings.parse_address(text)


def test_an_address_without_host_is_this_machine() -> None:
    assert settings.parse_address(":39539") == ("127.0.0.1", 39539)


@pytest.mark.parametrize(
    ("argv", "part"),
    [
        (["--bogus"], "--bogus"),
        (["dmeo"], 'did you mean "demo"?'),
        (["clip.mp4"], "--video clip.mp4"),
        (["--size", "12"], "1280x720"),
        (["--max-people", "0"], "tracking.max_people"),
        (["--set", "engine.nmae=x"], 'did you mean "name"?'),
        (["--engine", "synthetc"], "synthetic"),
        (["--osc", "nowhere"], "HOST:PORT"),
        (["--formats", "fbz", "--headless"], "fbz"),
        (["--config", "absent.yaml"], "absent.yaml"),
        (["--log-file", "absent/folder/log"], "--log-file"),
        ([*SYNTHETIC, "--video", "absent.mp4"], "absent.mp4"),
        ([*SYNTHETIC, "--images", "absent"], "absent"),
        ([*SYNTHETIC, "--images", ".", "--overlay", "o.mp4"], "--overlay"),
        (["take", "recover", "absent"], "absent"),
        (["bench", "--engine", "synthetic", "--detector", "synthetic", "--video", "absent.mp4"], "absent.mp4"),
    ],
)
def test_user_errors_are_one_line_and_exit_code_2(
    argv: list[str], part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(argv) == cli.USER_ERROR
    told = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(told) == 1
    assert told[0].startswith("mocap-app: error: ")
    assert part in told[0]


def test_verbose_shows_where_an_error_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--verbose", "--set", "a=1"]) == cli.USER_ERROR
    assert "Traceback" in capsys.readouterr().err


def test_a_missing_window_library_is_answered_politely(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "PyQt6", None)  # as if it were not installed
    assert cli.run(["--camera", "0"]) == cli.USER_ERROR
    message = capsys.readouterr().err
    assert "mocap-app[viewer]" in message
    assert "--headless" in message


@pytest.mark.parametrize("command", ["", *cli.COMMANDS])
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"usage: mocap-app {command}".strip() in text
    if not command:
        assert all(name in text for name in cli.COMMANDS)
        assert "mocap-app --video dance.mp4 --output takes" in text


def test_every_example_of_the_help_is_understood() -> None:
    for line in capture.EXAMPLES.splitlines():
        words = line.split("   ")[0].split() if line.startswith("  mocap-app -") else []
        if words:
            parse(*words[1:])


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"mocap-app {__version__}"


def test_printed_settings_can_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--print-config"]) == 0
    file = tmp_path / "my.yaml"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert load_config(file) == AppConfig()


def test_engines_lists_both_tables_with_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["engines"]) == 0
    text = capsys.readouterr().out
    for word in ("deforhmr", "runtime = 'auto'", "yolo", "blazepose", "min_score", "L-H64", "W48-6904", "shipped"):
        assert word in text
    (paper,) = (line for line in text.splitlines() if "670.6 M" in line)
    assert "not here" in paper


def test_licenses_says_what_an_extra_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["licenses"]) == 0
    assert "torch" in capsys.readouterr().out
    viewer = next(part for part in licenses.PARTS if part.distribution == "PyQt6")
    assert any("GPL" in line for line in licenses.conclusion([viewer]))
    assert "any purpose" in licenses.conclusion([licenses.PARTS[0]])[0]


def test_licenses_knows_every_dependency() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for name, lines in extras.items() if name != "dev" for line in lines)]
    named = {line.split("[")[0].split(">")[0].split("=")[0].split("!")[0] for line in wanted}
    assert named <= {part.distribution for part in licenses.PARTS}


def test_doctor_ends_with_a_verdict_for_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    from mocap_app.commands import doctor

    assert cli.run(["doctor"]) in (0, 1)
    lines = capsys.readouterr().out.splitlines()
    for name in doctor.CHECKS:
        assert any(line.split()[:2] in (["ok", name], ["warn", name], ["fail", name]) for line in lines)


def test_doctor_survives_a_check_that_raises() -> None:
    from mocap_app.commands import doctor

    def broken() -> doctor.Finding:
        raise RuntimeError("no driver")

    assert doctor.guarded(broken).verdict == "fail"
    assert "no driver" in doctor.guarded(broken).found


def test_progress_tells_rate_and_time_left() -> None:
    progress = messages.Progress(100, io.StringIO(), live=True)
    assert progress.line(50, 2.0) == "[##########          ]  50% 50/100 frames, 25.0 frames/s 0:02 left"
    assert messages.Progress(None, io.StringIO(), live=True).line(50, 2.0) == "50 frames, 25.0 frames/s"
    assert messages.clock(3725) == "1:02:05"


def test_progress_off_a_terminal_writes_no_control_characters() -> None:
    out = io.StringIO()
    progress = messages.Progress(10, out, live=False)
    progress.show(1)
    progress.close()
    assert out.getvalue() == ""


def test_a_drawn_figure_becomes_a_take(tmp_path: Path) -> None:
    assert cli.run([*DRAWN, "--duration", "1", "--output", str(tmp_path), "--log-file", str(tmp_path / "log")]) == 0
    with np.load(tmp_path / "synthetic_person1.npz") as take:
        assert take["rotations_wxyz"].shape[1:] == (24, 4)
        assert len(take["timestamps_ns"]) == 30
        assert "weights_sha256" in str(take["metadata"])
    assert (tmp_path / "synthetic_person1.bvh").read_text(encoding="utf-8").startswith("HIERARCHY")
    assert "30 frames" in (tmp_path / "log").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one process there")
def test_ctrl_c_saves_the_take(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mocap_app", *DRAWN, "--realtime", "--output", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    give_up_s = time.monotonic() + 60
    while not list(tmp_path.glob("*.journal")) and time.monotonic() < give_up_s and process.poll() is None:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert "wrote" in told
    assert list(tmp_path.glob("*_person1.npz"))
    assert list(tmp_path.glob("*_person1.bvh"))


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one process there")
def test_a_double_ctrl_c_saves_the_take_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session_class, sessions = pipeline.Session, []
    monkeypatch.setattr(pipeline, "Session", lambda *a, **k: sessions.append(session_class(*a, **k)) or sessions[0])

    def press_twice() -> None:
        while not (sessions and sessions[0].stats.frames > 5):
            time.sleep(0.01)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    presser = threading.Thread(target=press_twice, daemon=True)
    presser.start()
    assert cli.run([*DRAWN, "--realtime", "--duration", "30", "--output", str(tmp_path)]) == 0
    presser.join()
    assert list(tmp_path.glob("*_person1.bvh"))
    assert not list(tmp_path.glob("*.journal"))


def test_a_later_ctrl_c_ends_the_program(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(capture, "IMPATIENT_S", 0.0)
    session = pipeline.build_session(AppConfig())
    with capture.stop_on_signal(session) as asked:
        signal.raise_signal(signal.SIGINT)
        assert asked.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert "take recover" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one process there")
def test_ctrl_c_while_loading_is_no_crash() -> None:
    # A module that cannot be had before the interrupt came stands for a slow import.
    code = (
        "import signal, sys; from mocap_app.__main__ import main\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'engines.registry': signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Slow()); sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (cli.INTERRUPTED, "")


def test_names_beyond_the_terminals_letters_are_no_crash() -> None:
    code = (
        "import sys; from mocap_app import cli, __main__; cli.run = lambda argv: print(argv[0]) or 0; __main__.main()"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", code, "tänzer☃"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "t\\xe4nzer\\u2603")


def test_bench_measures_a_video(tmp_path: Path) -> None:
    video = tmp_path / "v.mp4"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 30, (320, 240))
    for index in range(30):
        writer.write(draw_figure(index / 30, (320, 240)))
    writer.release()
    file = tmp_path / "bench.json"
    argv = ["bench", "--engine", "synthetic", "--detector", "synthetic", "--video", str(video), "--json", str(file)]
    assert cli.run(argv) == 0
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report["headless"]["frames"] == 30
    assert report["headless"]["frames_per_s"] > 0
    assert {"capture", "detect", "recover", "solve"} <= set(report["headless"]["stages"])
    assert report["live"]["ages"]["osc"]["p95_ms"] > 0
    # Paced means paced: 30 frames at 30 frames/s take about a second, however fast the engine is.
    assert report["live"]["elapsed_s"] > 0.8
    assert report["machine"]["cores"] == os.cpu_count()
