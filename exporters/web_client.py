"""One browser at the other end of a connection: HTTP for the page, WebSocket (RFC 6455) for the motion.

`websockets` speaks the protocol without touching the network (its "sans I/O" part); the socket here never waits.
"""

from __future__ import annotations

import logging
import math
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from websockets.http11 import Request

VIEWER_PAGE = Path(__file__).with_name("web") / "viewer.html"
SILENT_S = 10.0
"""A connection that has not asked for anything by then is closed, for browsers open some on suspicion; so is one that
was answered and does not end."""
_MOST_ASKED_BYTES = 1 << 14
_RECEIVE_BYTES = 1 << 16
_GOING_AWAY = 1001

logger = logging.getLogger(__name__)
# One line per connection is theirs; ours says what matters.
logger.setLevel(logging.WARNING)


class WebClient:
    """A connection that was accepted; `pump` does what can be done at once. One thread at a time."""

    def __init__(self, connection: socket.socket, greeting: str, origins: tuple[str, ...]) -> None:
        """Own `connection`; `greeting` is sent once the browser has asked for the motion."""
        from websockets.server import ServerProtocol

        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.is_open = True
        self._socket, self._greeting, self._origins = connection, greeting, origins
        self._protocol = ServerProtocol(max_size=_MOST_ASKED_BYTES, logger=logger)
        self._out = bytearray()
        self._until_s = time.monotonic() + SILENT_S
        self._is_watching = self._is_ending = False

    def pump(self) -> None:
        """Read what was sent, answer it, and hand over what is due; never waits."""
        self._quietly(self._receive)
        self._quietly(self._transmit)
        if time.monotonic() > self._until_s:
            self.close()

    def show(self, text: str) -> bool:
        """Send a message to a browser that watches, and say so; one that has not yet taken the last misses this one."""
        if not self._is_watching or self._out:
            return False
        self._protocol.send_text(text.encode())
        self._quietly(self._transmit)
        return True

    def say_goodbye(self, text: str) -> None:
        """Send a last message and end the connection, as far as that is possible without waiting."""
        self.show(text)
        if self._is_watching:
            self._protocol.send_close(_GOING_AWAY)
            self._quietly(self._transmit)
        self.close()

    def close(self) -> None:
        """Release the connection; may be called twice."""
        self.is_open = self._is_watching = False
        self._socket.close()

    def _quietly(self, act: Callable[[], None]) -> None:
        """Do `act`; a browser that is gone is none of the sender's business."""
        if not self.is_open:
            return
        try:
            act()
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def _receive(self) -> None:
        from websockets.http11 import Request

        received = self._socket.recv(_RECEIVE_BYTES)
        if received:
            self._protocol.receive_data(received)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._answer(event)
        # Anything but an open connection is one that is ending.
        self._is_watching = self._is_watching and self._protocol.state.name == "OPEN"
        if not received:
            self.close()

    def _answer(self, request: Request) -> None:
        """Accept a request for the motion; answer one for the page."""
        if "Upgrade" not in request.headers:
            self._protocol.send_response(self._page(request.path))
        elif not self._is_welcome(request.headers):
            self._protocol.send_response(
                self._protocol.reject(403, "This page may not see the motion; name it in web.origins.\n")
            )
        else:
            self._protocol.send_response(self._protocol.accept(request))
            self._is_watching = self._protocol.state.name == "OPEN"
            if self._is_watching:
                self._until_s = math.inf
                self._protocol.send_text(self._greeting.encode())

    def _page(self, path: str) -> Any:
        if urlsplit(path).path not in ("/", "/viewer.html"):
            return self._protocol.reject(404, "There is only the viewer, at /\n")
        response = self._protocol.reject(200, VIEWER_PAGE.read_text(encoding="utf-8"))
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        return response

    def _is_welcome(self, headers: Any) -> bool:
        """Say whether the asking page is ours, a program (no origin), this machine's, or named in the options.

        Without this any page on the web that is open in a browser here could watch.
        """
        origin = headers.get("Origin")
        if origin is None or origin in self._origins or "*" in self._origins:
            return True
        asking = urlsplit(origin)
        return asking.hostname in ("localhost", "127.0.0.1", "::1") or asking.netloc == headers.get("Host")

    def _transmit(self) -> None:
        for part in self._protocol.data_to_send():
            if part:
                self._out += part
        while self._out:
            del self._out[: self._socket.send(self._out)]
        if self._protocol.close_expected() and not self._is_ending:
            self._is_ending, self._until_s = True, time.monotonic() + SILENT_S
            self._socket.shutdown(socket.SHUT_WR)
