"""The wheel holds what it must, and runs from another folder with nothing of the checkout in sight."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a clean environment with the wheel in it.

    Its dependencies are lent by this environment, to save minutes; the wheel's own three packages are the first found,
    which `test_nothing_comes_from_the_checkout` proves. What lends nothing is the set-up from a fresh clone.
    """
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=True)
    bin_folder, suffix = ("Scripts", ".exe") if sys.platform == "win32" else ("bin", "")
    python = folder / bin_folder / f"python{suffix}"
    subprocess.run([str(python), "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True)
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def test_holds_the_packages_the_assets_and_the_settings(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mocap_app", "engines", "exporters"}
    assert "mocap_app/default_config.yaml" in names
    shipped = [p for p in (REPOSITORY / "engines" / "assets").iterdir() if p.is_file() and not p.name.startswith(".")]
    assert {f"engines/assets/{p.name}" for p in shipped} <= names
    for_others = ("blender_addon/mocap_app_live.py", "blender_addon/blender_manifest.toml", "blender_addon/LICENSE",
                  "unity/MocapAppReceiver.cs", "unity/README.md", "web/viewer.html")  # fmt: skip
    assert {f"exporters/{name}" for name in for_others} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/THIRD_PARTY.md") for name in names)


def test_nothing_comes_from_the_checkout(python: Path, tmp_path: Path) -> None:
    code = "import engines, exporters, mocap_app; print(engines.__file__, exporters.__file__, mocap_app.__file__)"
    told = subprocess.run([str(python), "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert all(Path(file).is_relative_to(python.parents[1]) for file in told.split())


def test_prints_the_packed_settings(python: Path, tmp_path: Path) -> None:
    command = [str(python), "-m", "mocap_app", "--print-config"]
    told = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert told == (REPOSITORY / "config.yaml").read_text(encoding="utf-8")


def test_demo_runs_from_another_folder(python: Path, tmp_path: Path) -> None:
    program = python.with_name("mocap-app" + python.suffix)
    result = subprocess.run(
        [str(program), "demo", "--duration", "2"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    written = {path.suffix for path in (tmp_path / "demo_out").rglob("*") if path.is_file()}
    assert {".npz", ".bvh", ".mp4"} <= written
