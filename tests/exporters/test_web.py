"""The stream to browsers: what a client gets, who is let in, and that nothing waits."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from exporters import Pose, StreamError, Take, WebOptions, WebStream, forward_kinematics, open_stream

pytest.importorskip("websockets")
HERE = "http://127.0.0.1"


def pose_of(take: Take, t: int, subject: int = 1) -> Pose:
    return Pose(take.rotations_wxyz[t], take.root_translation[t], int(take.timestamps_ns[t]), subject)


@pytest.fixture
def stream(skeleton) -> Iterator[WebStream]:
    with WebStream(WebOptions(port=0), skeleton) as stream:
        yield stream


def while_sending(stream: WebStream, poses: list[Pose], act: Callable[[], Any]) -> Any:
    """Return what `act` returns, which runs beside a stream that sends `poses` again and again."""
    with ThreadPoolExecutor(1) as pool:
        future: Future[Any] = pool.submit(act)
        until_s = time.monotonic() + 30
        while not future.done():
            assert time.monotonic() < until_s
            stream.send(poses)
            time.sleep(0.005)
        return future.result()


def watch(port: int, count: int, **options: Any) -> list[dict[str, Any]]:
    from websockets.sync.client import connect

    with connect(f"ws://127.0.0.1:{port}/", proxy=None, **options) as client:
        return [json.loads(client.recv(timeout=20)) for _ in range(count)]


def test_a_client_gets_the_skeleton_and_then_the_poses(make_take, stream):
    take = make_take(9)
    poses = [pose_of(take, 3), pose_of(take, 7, subject=4)]
    skeleton, *messages = while_sending(stream, poses, lambda: watch(stream.port, 4))
    assert stream.sent >= 3
    assert skeleton["joint_names"] == list(take.skeleton.joint_names)
    assert skeleton["parents"] == take.skeleton.parents.tolist()
    for message in messages:
        first, second = message["people"]
        assert (first["subject"], second["subject"]) == (1, 4)
        assert second["time_s"] - first["time_s"] == pytest.approx(4 / 30, abs=1e-5)
        joints = forward_kinematics(take.skeleton, take.rotations_wxyz[7], take.root_translation[7])
        np.testing.assert_allclose(second["joints_m"], joints, atol=1e-4)
        np.testing.assert_allclose(second["rotations_wxyz"], take.rotations_wxyz[7], atol=1e-5)


def test_a_client_can_rebuild_the_joints_from_the_skeleton(make_take, stream):
    take = make_take(9)
    told, message = while_sending(stream, [pose_of(take, 5)], lambda: watch(stream.port, 2))
    skeleton = replace(take.skeleton, offsets=np.float32(told["offsets_m"]))
    person = message["people"][0]
    joints = forward_kinematics(skeleton, np.array(person["rotations_wxyz"]), np.array(person["root_translation_m"]))
    np.testing.assert_allclose(joints, person["joints_m"], atol=2e-4)


def test_nobody_and_broken_numbers_are_nobody(make_take, stream):
    broken = pose_of(make_take(3), 0)
    broken.rotations_wxyz[0, 0] = np.nan
    assert while_sending(stream, [], lambda: watch(stream.port, 2))[1] == {"type": "poses", "people": []}
    assert while_sending(stream, [broken], lambda: watch(stream.port, 2))[1]["people"] == []
    assert stream.unsent > 0


def test_the_page_is_served_on_the_same_port(stream):
    def read(path: str) -> tuple[str, str]:
        with urllib.request.urlopen(f"{HERE}:{stream.port}{path}", timeout=20) as page:
            return page.headers["Content-Type"], page.read().decode()

    kind, text = while_sending(stream, [], lambda: read("/?x=1"))
    assert kind == "text/html; charset=utf-8"
    assert "new WebSocket" in text
    assert "http://" not in text, "the page must not need the network"
    assert "https://" not in text
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        while_sending(stream, [], lambda: read("/../config.yaml"))
    refused.value.close()


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [
        (None, True),
        ("http://localhost:5173", True),
        ("https://example.org", True),
        ("https://elsewhere.org", False),
        ("null", False),
    ],
)
def test_only_pages_that_are_named_may_watch(skeleton, origin, welcome):
    from websockets.exceptions import InvalidStatus

    with WebStream(WebOptions(port=0, origins=("https://example.org",)), skeleton) as stream:
        look = lambda: watch(stream.port, 1, origin=origin)  # noqa: E731
        if welcome:
            assert while_sending(stream, [], look)
        else:
            with pytest.raises(InvalidStatus, match="403"):
                while_sending(stream, [], look)


@pytest.fixture
def three_sockets(stream) -> Iterator[list[socket.socket]]:
    sockets = [socket.create_connection(("127.0.0.1", stream.port)) for _ in range(3)]
    yield sockets
    for one in sockets:
        one.close()


def test_clients_that_vanish_or_never_read_or_send_rubbish_do_no_harm(make_take, stream, three_sockets):
    take = make_take(3)
    gone, lazy, rude = three_sockets
    key = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    for client in (gone, lazy):
        client.sendall((key + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n").encode())
    rude.sendall(b"\x00\xff" * 5000)
    slowest_s = 0.0
    for n in range(1000):
        if n == 50:
            gone.close()
        begun_s = time.perf_counter()
        stream.send([pose_of(take, 0, subject) for subject in (1, 2)])
        slowest_s = max(slowest_s, time.perf_counter() - begun_s)
    assert while_sending(stream, [pose_of(take, 0)], lambda: watch(stream.port, 3))[2]["people"]
    for _ in range(100):
        stream.send([])
        time.sleep(0.005)
    assert len(stream._clients) <= 2, "one that vanished is still held"
    print(f"slowest send {slowest_s * 1000:.1f} ms")


def test_the_end_is_told_and_the_port_is_free_again(make_take, skeleton):
    from websockets.sync.client import connect

    stream = WebStream(WebOptions(port=0), skeleton)

    def watch_to_the_end() -> dict[str, Any]:
        with connect(f"ws://127.0.0.1:{stream.port}/", proxy=None) as client:
            messages = [json.loads(message) for message in client]  # until it is closed as it should be
            assert client.close_code == 1001
            return messages[-1]

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(watch_to_the_end)
        for _ in range(100):
            stream.send([])
            time.sleep(0.005)
        stream.close()
        stream.close()
        stream.send([])
        assert future.result() == {"type": "end"}
    WebStream(WebOptions(port=stream.port), skeleton).close()


def test_a_port_in_use_and_a_missing_library_are_named(skeleton, monkeypatch):
    with WebStream(WebOptions(port=0), skeleton) as first, pytest.raises(StreamError, match="cannot listen at"):
        open_stream(WebOptions(port=first.port), skeleton)
    with pytest.raises(StreamError, match="looked up"):
        open_stream(WebOptions("no such host.invalid"), skeleton)
    for name in [m for m in sys.modules if m.split(".")[0] == "websockets"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "websockets", None)
    with pytest.raises(StreamError, match=r'pip install "mocap-app\[web\]"'):
        open_stream(WebOptions(port=0), skeleton)


@pytest.mark.readers
def test_the_page_in_a_browser(make_take, stream, tmp_path):
    """The page opens, receives, and draws a body with its left side orange and its right side blue."""
    import cv2
    from chromium import Chromium

    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("Chromium is not installed; install the package chromium")
    pose = replace(pose_of(make_take(9), 0), root_translation=np.float32([0.3, 0.95, 0.2]))

    def look() -> tuple[str, str, bytes]:
        browser = Chromium(program, tmp_path)
        try:
            browser.call("Page.navigate", url=f"{HERE}:{stream.port}/")
            until_s = time.monotonic() + 30
            while int(browser.ask("document.body?.dataset.received") or 0) < 60:
                assert time.monotonic() < until_s, "nothing is received"
                time.sleep(0.1)
            told = browser.ask("document.getElementById('status').textContent")
            return told, browser.ask("document.title"), browser.picture()
        finally:
            browser.close()

    told, title, picture = while_sending(stream, [pose], look)
    (tmp_path / "web_viewer.png").write_bytes(picture)
    assert title == "mocap-app"
    assert "1 performer" in told
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).astype(int)
    blue, _, red = np.moveaxis(image, -1, 0)
    left, right = np.argwhere(red - blue > 60), np.argwhere(blue - red > 60)
    assert min(len(left), len(right)) > 1500
    assert left[:, 1].mean() > right[:, 1].mean() + 30, "facing us, the performer's left is at our right"
    height, width = image.shape[:2]
    body = np.concatenate([left, right])
    assert 0.2 * height < body[:, 0].mean() < 0.9 * height
    assert np.ptp(body[:, 0]) > 0.3 * height
    assert abs(body[:, 1].mean() - width / 2) < 0.15 * width
