"""What this process and this machine are at: processor, memory, disk, graphics card. No Qt.

With psutil (extra `viewer`); what cannot be read is None and is not shown. A reading takes about a millisecond.
"""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Load:
    """The machine at one moment."""

    process_cpu: float | None = None
    """Of this process, in cores: 1.5 is one and a half."""
    machine_cpu: float | None = None
    """Of all cores, 0 to 1."""
    cores: int = 1
    memory_bytes: int | None = None
    """Of this process."""
    memory_total_bytes: int | None = None
    memory_free_bytes: int | None = None
    """Of the machine: what a program could still have."""
    threads: int = 1
    """Of this process, those of the libraries too."""
    disk_free_bytes: int | None = None
    """Where the takes go."""
    gpu: str = ""
    """Name of the first NVIDIA card; empty where there is none or it cannot be read."""
    gpu_used: float | None = None
    """0 to 1."""
    gpu_memory_bytes: int | None = None


class Machine:
    """Reads the load again and again; used by one thread."""

    def __init__(self, folder: Path) -> None:
        """Watch the disk that `folder`, which need not exist yet, is on."""
        self._folder = folder
        self._psutil = _import("psutil")
        self._process = self._psutil.Process() if self._psutil else None
        self._card = _Card()
        self.read()  # what is used is measured from one reading to the next

    def read(self) -> Load:
        """Return the load since the last reading."""
        if self._psutil is None or self._process is None:
            return Load(threads=threading.active_count(), disk_free_bytes=self._disk_free(), **self._card.read())
        memory = self._psutil.virtual_memory()
        with self._process.oneshot():
            return Load(
                process_cpu=self._process.cpu_percent() / 100,
                machine_cpu=self._psutil.cpu_percent() / 100,
                cores=self._psutil.cpu_count() or 1,
                memory_bytes=self._process.memory_info().rss,
                memory_total_bytes=memory.total,
                memory_free_bytes=memory.available,
                threads=self._process.num_threads(),
                disk_free_bytes=self._disk_free(),
                **self._card.read(),
            )

    def _disk_free(self) -> int | None:
        folder = self._folder.expanduser().absolute()
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            return None


class _Card:
    """The first NVIDIA card, through nvidia-ml-py where that is installed (it comes with the extra `yolo`)."""

    def __init__(self) -> None:
        self._library = _import("pynvml")
        self._handle: Any = None
        if self._library is None:
            return
        try:
            self._library.nvmlInit()
            self._handle = self._library.nvmlDeviceGetHandleByIndex(0)
        except self._library.NVMLError:  # no driver, no card
            self._library = None

    def read(self) -> dict[str, Any]:
        """Return the fields of `Load` that are about the card."""
        if self._library is None:
            return {}
        try:
            name = self._library.nvmlDeviceGetName(self._handle)
            used = self._library.nvmlDeviceGetUtilizationRates(self._handle).gpu / 100
            memory = int(self._library.nvmlDeviceGetMemoryInfo(self._handle).used)
        except self._library.NVMLError:  # pulled out, or the driver was replaced
            self._library = None
            return {}
        return {"gpu": str(name), "gpu_used": used, "gpu_memory_bytes": memory}


def _import(name: str) -> Any:
    """Return an optional library, or None; imported where it is used, for it may be absent."""
    try:
        if name == "psutil":
            import psutil

            return psutil
        import pynvml

        return pynvml
    except ImportError:
        return None
