"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

# Where one process draws without a window by EGL first and opens Qt's windows by GLX afterwards, Mesa crashes. The
# application opens its window first; tests come in any order, so there Qt takes EGL as well.
os.environ.setdefault("QT_XCB_GL_INTEGRATION", "xcb_egl")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def rng() -> np.random.Generator:
    """A random generator with a fixed seed."""
    return np.random.default_rng(20260)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test material that is not part of the repository; skips where it is absent."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the test material beside the checkout (../shared) is absent")
    return folder


@pytest.fixture(scope="session")
def settings_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own_settings")


@pytest.fixture(autouse=True)
def no_settings_of_the_user(settings_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test, and every program it runs, begin with the defaults, whatever the user of this machine saved."""
    for variable in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(variable, str(settings_folder))
    if sys.platform == "darwin":
        monkeypatch.setenv("HOME", str(settings_folder))


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail a test that leaves a thread running, and name the thread."""
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and t.is_alive()]
    for thread in left:
        thread.join(timeout=2)
    left = [t.name for t in left if t.is_alive()]
    assert not left, f"threads outlived the test: {left}"
