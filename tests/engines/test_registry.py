"""The table of engines, options from mappings, and the search for weights."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import pytest

from engines import DETECTORS, ENGINES, UnknownEngineError, WeightsError, build_detector, build_engine
from engines.errors import RuntimeUnavailableError
from engines.options import make_options
from engines.registry import missing_library
from engines.runtime.device import check_device
from engines.weights import assets_folder, check_sha256, find_weights, record_sha256, sha256_of


def test_import_loads_numpy_alone() -> None:
    heavy = "torch cv2 onnxruntime moderngl ultralytics PyQt6 yaml"
    code = f"import sys, engines; print([n for n in '{heavy}'.split() if n in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_unknown_name_gives_the_known_ones() -> None:
    with pytest.raises(UnknownEngineError, match=r'"deforhrm" is unknown.*synthetic.*did you mean "deforhmr"'):
        build_engine("deforhrm")
    with pytest.raises(UnknownEngineError, match="detector"):
        build_detector("nothing-like-it")


@pytest.mark.parametrize("spec", [*ENGINES.values(), *DETECTORS.values()], ids=lambda spec: spec.target)
def test_every_entry_has_options_that_can_be_made(spec) -> None:
    assert make_options(spec.options, {}, "test") == spec.options()
    assert spec.summary
    assert all(field.default is not field.default_factory for field in fields(spec.options))


def test_unknown_option_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r'"min_scor".*did you mean "min_score"'):
        build_detector("blazepose", {"min_scor": 0.5})


@dataclass(frozen=True)
class _Options:
    number: float = 1.0
    count: int = 1
    choice: Literal["a", "b"] = "a"
    names: tuple[str, ...] = ()
    maybe: float | None = None
    flag: bool = False


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"number": 2}, _Options(number=2.0)),
        ({"names": ["x", "y"]}, _Options(names=("x", "y"))),
        ({"maybe": None, "flag": True, "choice": "b"}, _Options(flag=True, choice="b")),
    ],
)
def test_options_from_a_mapping(values: dict, expected: _Options) -> None:
    assert make_options(_Options, values, "test") == expected


@pytest.mark.parametrize(
    "values", [{"number": "2"}, {"count": 1.5}, {"count": True}, {"choice": "c"}, {"names": "x"}, {"flag": 1}]
)
def test_options_of_the_wrong_type(values: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        make_options(_Options, values, "test")


def test_missing_library_message_holds_the_pip_line() -> None:
    assert 'pip install "mocap-app[yolo]"' in missing_library("detector yolo", "ultralytics", "yolo")
    assert "pip install onnxruntime" in missing_library("engine x", "onnxruntime", "")


def test_weights_are_found_in_the_named_folder_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCAP_APP_WEIGHTS", str(tmp_path))
    (tmp_path / "my.safetensors").write_bytes(b"abc")
    assert find_weights("my.safetensors") == tmp_path / "my.safetensors"
    with pytest.raises(WeightsError, match=r"not found.*MOCAP_APP_WEIGHTS"):
        find_weights("other.safetensors")


def test_weights_looked_for_where_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match=r"absent.npz: there is no such file.*correct the path"):
        find_weights("body_free.npz", "absent.npz")
    monkeypatch.setenv("MOCAP_APP_WEIGHTS", str(tmp_path / "absent"))
    with pytest.raises(WeightsError, match=r"MOCAP_APP_WEIGHTS.*no folder.*correct"):
        find_weights("body_free.npz")


def test_a_device_that_is_not_there() -> None:
    check_device("cpu")
    with pytest.raises(RuntimeUnavailableError, match=r"cuda:99 is not at hand.*--device cpu"):
        build_engine("synthetic", device="cuda:99")


def test_tampered_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"abc")
    record_sha256(path)
    check_sha256(path)
    assert sha256_of(path).startswith("ba7816bf")
    path.write_bytes(b"abd")
    with pytest.raises(WeightsError, match=r"expected ba7816bf.*install"):
        find_weights("w.safetensors", str(path))


def test_unlisted_shipped_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"abc")
    check_sha256(path)
    with pytest.raises(WeightsError, match="not listed"):
        check_sha256(path, must_be_listed=True)


def test_shipped_weights_are_whole() -> None:
    for path in assets_folder().glob("*.safetensors"):
        check_sha256(path, must_be_listed=True)
