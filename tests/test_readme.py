"""What the README says can be done as it says it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from mocap_app import cli
from mocap_app.capture.synthetic import draw_figure
from mocap_app.commands import capture, settings

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    lines = (line for block in blocks("sh") for line in block.splitlines())
    words = [shlex.split(line) for line in lines if line.strip()]
    return [line for line in words if Path(line[0]).name == "mocap-app"]


def run(code: list[str], folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, *code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the line with the drawn figure was run."""
    folder = tmp_path_factory.mktemp("readme")
    drawn = next(line for line in commands() if "capture.source=synthetic" in line)
    run(["-m", "mocap_app", *drawn[1:]], folder)
    return folder


def test_the_line_without_weights_or_camera_writes_a_take(folder: Path) -> None:
    assert (folder / "takes" / "synthetic_person1.npz").is_file()
    assert (folder / "takes" / "synthetic_person1.bvh").is_file()


def test_exporters_alone(folder: Path) -> None:
    snippet = next(block for block in blocks("python") if "exporters" in block)
    run(["-c", snippet], folder)
    assert (folder / "takes" / "again.bvh").is_file()


def test_engines_alone(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "person.jpg"), draw_figure(0.3, (480, 640))[:, :, ::-1])
    run(["-c", next(block for block in blocks("python") if "engines" in block)], tmp_path)


def test_every_command_is_understood() -> None:
    assert len(commands()) >= 8
    for words in commands():
        command = cli.COMMANDS.get(words[1], cli.CAPTURE)
        if command is cli.CAPTURE:
            args = cli.build_parser(command, capture).parse_args(words[1:])
            settings.read_settings(args, capture.source_settings(args))


def test_set_up_lines_are_there_and_can_be_run() -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    for script in ("scripts/demo", "scripts/test"):
        assert script in lines
        assert os.access(REPOSITORY / script, os.X_OK)
        assert "\r" not in (REPOSITORY / script).read_text(encoding="utf-8")
    install = next(line for line in lines if "pip install" in line)
    assert "-c requirements/lock.txt" in install
    extras = re.findall(r"\[(.*)\]", install)[0]
    assert f"scripts/setup {extras}\n" in (REPOSITORY / "scripts" / "demo").read_text(encoding="utf-8")


def test_settings_named_exist() -> None:
    from mocap_app.config import load_config

    named = re.findall(r"`--set ([a-z_.]+=[^`]+)`", README)
    assert len(named) >= 3
    for override in named:
        if not override.startswith("section."):
            load_config(overrides=[override])


def test_every_link_to_a_file_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (REPOSITORY / target).is_file(), target


def test_the_take_s_table_names_every_array(folder: Path) -> None:
    import numpy as np

    with np.load(folder / "takes" / "synthetic_person1.npz") as take:
        for key in take.files:
            assert f"`{key}`" in README, key


@pytest.mark.parametrize("script", ["setup", "demo", "test", "check"])
def test_scripts_are_plain_posix_shell(script: str) -> None:
    path = REPOSITORY / "scripts" / script
    assert path.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    if sys.platform != "win32":
        subprocess.run(["sh", "-n", str(path)], check=True)


def test_the_lock_is_free_of_hosts_and_local_labels() -> None:
    lines = (REPOSITORY / "requirements" / "lock.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) > 20
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*", pin) for pin in pins)
