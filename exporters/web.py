"""Live output to browsers: JSON over WebSocket, and the page that draws it, on one port.

Nothing here has a thread: each `send` accepts who has come, answers and hands over, all without waiting. The stream
is used by its sink's thread at the rate of the frames, and a page that is answered a thirtieth of a second later is
early enough.
"""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import StreamError
from .kinematics import forward_kinematics
from .types import Pose, Skeleton
from .vmc import finite_poses
from .web_client import WebClient

logger = logging.getLogger(__name__)

DEFAULT_PORT = 8765
MOST_CLIENTS = 32
_DECIMALS = 5
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class WebOptions:
    """Where browsers find the page."""

    host: str = "127.0.0.1"
    """Address of this machine to listen at; 0.0.0.0 lets the whole network watch."""
    port: int = DEFAULT_PORT
    """0 takes a free one."""
    origins: tuple[str, ...] = ()
    """Pages elsewhere that may watch too, as https://example.org; * is every page."""


class WebStream:
    """Shows poses to every browser that asks. One thread at a time.

    Attributes:
        port: where it listens.
        sent: messages handed to browsers, each counted; none while nobody watches.
        unsent: poses whose numbers are not finite.
        lost: 0, for a browser that cannot keep up is none that is not there.
    """

    def __init__(self, options: WebOptions, skeleton: Skeleton) -> None:
        """Listen.

        Raises:
            StreamError: the port is taken, the address is not this machine's, or `websockets` is not installed.
        """
        load_websockets()
        self.unsent = self.sent = self.lost = 0
        self._options, self._skeleton = options, skeleton
        self._greeting = skeleton_message(skeleton)
        self._start_ns: int | None = None
        self._clients: list[WebClient] = []
        self._listener: socket.socket | None = _listen(options.host, options.port)
        self.port = int(self._listener.getsockname()[1])
        logger.info("browsers see the motion at http://%s:%d", options.host, self.port)

    def send(self, poses: Sequence[Pose]) -> None:
        """Show what every performer does at one instant; nobody is shown as nobody."""
        if self._listener is None:
            return
        self._accept(self._listener)
        for client in self._clients:
            client.pump()
        self._clients = [c for c in self._clients if c.is_open]
        finite = finite_poses(poses)
        self.unsent += len(poses) - len(finite)
        if self._clients:
            text = self._message(finite)
            self.sent += sum(client.show(text) for client in self._clients)

    def close(self) -> None:
        """Tell the browsers that this is the end, and release the port; may be called twice."""
        if self._listener is None:
            return
        for client in self._clients:
            client.say_goodbye(json.dumps({"type": "end"}))
        self._clients = []
        self._listener.close()
        self._listener = None

    def __enter__(self) -> WebStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # nobody has come, or one has already gone
                return
            if len(self._clients) < MOST_CLIENTS:
                self._clients.append(WebClient(connection, self._greeting, self._options.origins))
            else:
                connection.close()

    def _message(self, poses: Sequence[Pose]) -> str:
        if self._start_ns is None and poses:
            self._start_ns = poses[0].timestamp_ns
        return poses_message(self._skeleton, poses, self._start_ns or 0)


def load_websockets() -> None:
    """Import the library now: on first use it would take a third of a second out of the motion.

    Raises:
        StreamError: it is not installed.
    """
    try:
        import websockets.http11
        import websockets.server  # noqa: F401
    except ImportError as error:
        raise StreamError(
            "the stream to browsers needs websockets, which is not installed; install it with: "
            'pip install "mocap-app[web]"'
        ) from error


def skeleton_message(skeleton: Skeleton) -> str:
    """Return the first message a browser gets."""
    return json.dumps(
        {
            "type": "skeleton",
            "version": FORMAT_VERSION,
            "joint_names": list(skeleton.joint_names),
            "parents": skeleton.parents.tolist(),
            "offsets_m": _numbers(skeleton.offsets),
        }
    )


def poses_message(skeleton: Skeleton, poses: Sequence[Pose], start_ns: int = 0) -> str:
    """Return the message of one instant: rotations as in a take, and the joints' places in the world, ready to draw."""
    people = [
        {
            "subject": pose.subject,
            "time_s": round((pose.timestamp_ns - start_ns) / 1e9, 6),
            "root_translation_m": _numbers(pose.root_translation),
            "rotations_wxyz": _numbers(pose.rotations_wxyz),
            "joints_m": _numbers(forward_kinematics(skeleton, pose.rotations_wxyz, pose.root_translation)),
        }
        for pose in poses
    ]
    return json.dumps({"type": "poses", "people": people}, separators=(",", ":"))


def _numbers(array: np.ndarray) -> Any:
    # Through float64: float32 spells 0.1 as 0.10000000149.
    return np.round(array.astype(np.float64), _DECIMALS).tolist()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise StreamError(
            f'web: host: found "{host}", which cannot be looked up ({error}); expected an address of this machine; '
            "use 127.0.0.1"
        ) from error
    try:
        if sys.platform != "win32":  # there it would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(MOST_CLIENTS)
    except (OSError, OverflowError) as error:
        listener.close()
        raise StreamError(
            f"web: cannot listen at {host} port {port} ({error}); expected a free port of this machine; choose another"
        ) from error
    listener.setblocking(False)
    return listener
