"""A headless Chromium that a test drives by its DevTools protocol."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
    "--window-size=1000,750",
)  # fmt: skip


class Chromium:
    """One page. `ask` runs an expression in it."""

    def __init__(self, program: str, folder: Path) -> None:
        from websockets.sync.client import connect

        # Its first words wait for seconds on a busy machine; the port stands in a file as soon as it listens.
        command = [program, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
        self.open = ExitStack()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = self.port(folder / "profile" / "DevToolsActivePort")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
                pages = json.load(answer)
            address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
            self.socket = self.open.enter_context(connect(address, max_size=None, origin=None, proxy=None))
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.number = 0

    def port(self, file: Path) -> int:
        until_s = time.monotonic() + 60
        while not (file.is_file() and len(file.read_text(encoding="utf-8").splitlines()) > 1):
            assert time.monotonic() < until_s, "Chromium does not start"
            assert self.process.poll() is None, "Chromium has ended"
            time.sleep(0.05)
        return int(file.read_text(encoding="utf-8").splitlines()[0])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv(timeout=60))
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]

    def ask(self, expression: str) -> Any:
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def picture(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        self.open.close()
        self.process.terminate()
        self.process.wait(timeout=30)
