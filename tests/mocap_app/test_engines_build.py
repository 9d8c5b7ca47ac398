"""`mocap-app engines build` and the table of runtimes."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from mocap_app.cli import run


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))


def test_the_table_says_what_is_here_and_what_the_others_lack(capsys: pytest.CaptureFixture) -> None:
    assert run(["engines", "list"]) == 0
    lines = capsys.readouterr().out.split("runtimes (")[1].splitlines()[1:]
    table = {line.split()[0]: line for line in lines}
    assert list(table) == ["torch", "onnxruntime", "openvino", "tensorrt"]
    assert "torch 2." in table["torch"]
    if find_spec("openvino") is None:
        assert 'openvino is not installed; pip install "mocap-app[openvino]"' in table["openvino"]
    if find_spec("tensorrt") is None:
        assert "pip install" in table["tensorrt"] or "choose one with --device cuda:0" in table["tensorrt"]


def test_building_tells_what_it_does_and_the_second_time_is_quick(capsys: pytest.CaptureFixture) -> None:
    for _ in range(2):
        assert run(["engines", "build", "--engine", "fastmetro", "--runtime", "onnxruntime"]) == 0
        out = capsys.readouterr().out
        assert out.startswith("[1/1] fastmetro default, onnxruntime on cpu ...")
        assert "mm from torch" in out
        assert out.endswith("1 of 1 are ready\n")


def test_what_cannot_be_built_is_said_and_the_exit_code_too(capsys: pytest.CaptureFixture) -> None:
    assert run(["engines", "build", "--engine", "fastmetro", "--runtime", "tensorrt"]) == 1
    out = capsys.readouterr().out
    assert "failed: blazepose-full: the runtime tensorrt cannot be used on cpu" in out
    assert "0 of 1 are ready" in out
