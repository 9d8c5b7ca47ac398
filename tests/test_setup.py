"""The set-up script, with stand-ins for Python, pip, dpkg and apt: what it asks of them, and when it asks nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the script is for a POSIX shell")

# Makes .venv with a python that notes its arguments, and lets pip "install" the command.
PYTHON = """#!/bin/sh
case "$*" in
    "-m venv .venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
    *pip\\ install*) echo "pip $*" >> calls; : > .venv/bin/mocap-app; chmod +x .venv/bin/mocap-app ;;
esac
"""


class Machine:
    """A copy of what the script needs, in a folder, and the programs it finds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "programs"
        self.programs.mkdir()
        (folder / "scripts").mkdir()
        (folder / "requirements").mkdir()
        for name in ("scripts/setup", "requirements/lock.txt", "pyproject.toml"):
            shutil.copy(REPOSITORY / name, folder / name)
        self.has("python3.11", PYTHON)
        self.has("dpkg-query", "#!/bin/sh\necho 'install ok installed'\n")
        self.has("apt-get", '#!/bin/sh\necho "apt-get $*" >> calls\n')

    def has(self, name: str, text: str) -> None:
        path = self.programs / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def set_up(self, extras: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": f"{self.programs}:/usr/bin:/bin"}
        command = ["sh", str(self.folder / "scripts" / "setup"), extras]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    @property
    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_installs_from_the_lock(machine: Machine) -> None:
    assert machine.set_up("viewer,yolo").returncode == 0
    assert len(machine.calls) == 1
    assert "-c requirements/lock.txt -e .[viewer,yolo]" in machine.calls[0]


def test_does_nothing_the_second_time_nor_for_fewer_extras(machine: Machine) -> None:
    machine.set_up("viewer,yolo")
    assert machine.set_up("viewer,yolo").returncode == 0
    assert machine.set_up("yolo").returncode == 0
    assert len(machine.calls) == 1


def test_installs_again_for_another_extra_and_remembers_both(machine: Machine) -> None:
    machine.set_up("viewer")
    machine.set_up("dev")
    machine.set_up("viewer,dev")
    assert len(machine.calls) == 2


def test_installs_again_when_the_lock_has_changed(machine: Machine) -> None:
    machine.set_up("viewer")
    with (machine.folder / "requirements" / "lock.txt").open("a", encoding="utf-8") as file:
        file.write("another==1.0\n")
    machine.set_up("viewer")
    assert len(machine.calls) == 2


def test_names_missing_system_packages_where_it_may_not_install_them(machine: Machine) -> None:
    machine.has("dpkg-query", "#!/bin/sh\nexit 1\n")
    machine.has("id", "#!/bin/sh\necho 1000\n")
    result = machine.set_up("viewer")
    assert result.returncode == 0
    assert "sudo apt-get install libegl1 libgl1" in result.stderr
    assert "libxcb-cursor0" in result.stderr
    assert not any(call.startswith("apt-get") for call in machine.calls)


def test_installs_system_packages_as_root(machine: Machine) -> None:
    machine.has("dpkg-query", "#!/bin/sh\nexit 1\n")
    machine.has("id", "#!/bin/sh\necho 0\n")
    assert machine.set_up("smpl").returncode == 0
    install = next(call for call in machine.calls if "apt-get install" in call)
    assert "libegl1" in install
    assert "libxcb-cursor0" not in install


def test_asks_for_the_venv_package_where_python_has_none(machine: Machine) -> None:
    # Debian's python3.11 comes without ensurepip: answers the version question, fails the import of ensurepip.
    without = PYTHON.replace('case "$*" in', 'case "$*" in *ensurepip*) exit 1 ;; *print*) echo 3.11 ;;')
    for name in ("python3.11", "python3.12", "python3.13", "python3"):
        machine.has(name, without)
    machine.has("id", "#!/bin/sh\necho 1000\n")
    result = machine.set_up("smpl")
    assert result.returncode == 2
    assert "python3.11-venv" in result.stderr


def test_says_so_without_a_python(machine: Machine) -> None:
    for name in ("python3.11", "python3.12", "python3.13", "python3"):
        machine.has(name, "#!/bin/sh\nexit 1\n")
    result = machine.set_up("smpl")
    assert result.returncode == 2
    assert "3.11" in result.stderr
