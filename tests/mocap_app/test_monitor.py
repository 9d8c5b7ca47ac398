"""The command that shows what arrives."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from exporters.osc import Message, encode_bundles
from mocap_app import cli
from mocap_app.commands import monitor


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def send(port: int, seconds: float) -> None:
    """Send two messages, fifty times a second."""
    packet = encode_bundles([Message("/VMC/Ext/OK", "iiii", (1, 3, 0, 1)), Message("/a", "sf", ("x", 0.25))])[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            sender.sendto(packet, ("127.0.0.1", port))
            time.sleep(0.02)


def run_while_sending(port: int, *flags: str) -> int:
    thread = threading.Thread(target=send, args=(port, 1.8))
    thread.start()
    try:
        return cli.run(["monitor", "--osc", str(port), "--seconds", "1.5", *flags])
    finally:
        thread.join()


def test_tells_addresses_rates_and_values_as_json(capsys):
    port = free_port()
    assert run_while_sending(port, "--json") == 0
    out, error = capsys.readouterr()
    told = json.loads(out)
    assert error == ""
    assert told["packets"] > 20
    assert told["addresses"]["/a"]["last"] == ["x", 0.25]
    assert 20 < told["addresses"]["/VMC/Ext/OK"]["rate_hz"] < 60
    assert told["problems"] == {}


def test_tells_the_same_in_words(capsys):
    assert run_while_sending(free_port()) == 0
    out, error = capsys.readouterr()
    assert "/VMC/Ext/OK" in out
    assert "x 0.250" in out
    assert "no problems" in out
    assert "frames/s" in error


def test_silence_says_what_to_look_at(capsys):
    assert cli.run(["monitor", "--osc", str(free_port()), "--seconds", "0.1"]) == 0
    assert "nothing has arrived" in capsys.readouterr().out


def test_problems_are_listed():
    told = {"packets": 1, "messages": 0, "largest_packet_bytes": 3, "addresses": {"/a": {"count": 1, "rate_hz": None,
            "last": []}}, "bones": {}, "problems": {"packet that is no OSC": 4}}  # fmt: skip
    assert "  4 times: packet that is no OSC" in monitor.lines_of(told)


@pytest.mark.parametrize("port", ["in use", "70000"])
def test_a_port_that_cannot_be_had_is_named(capsys, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("", 0))
        number = str(taken.getsockname()[1]) if port == "in use" else port
        assert cli.run(["monitor", "--osc", number]) == 2
    error = capsys.readouterr().err
    assert f"cannot listen at port {number}" in error
    assert "stop the receiver" in error


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signal to one process")
def test_ctrl_c_ends_it_with_the_report():
    command = [sys.executable, "-m", "mocap_app", "monitor", "--osc", str(free_port())]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    assert "listening" in running.stderr.readline()
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=20)
    assert running.returncode == 0
    assert "nothing has arrived" in out
