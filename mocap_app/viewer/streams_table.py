"""The live outputs as a table: what each is, its settings, and the steps of the programs that receive it. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .settings_table import Row

AVATARS = "VRM avatars (*.vrm);;All files (*)"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A program at the other end, and its own steps in two lines."""

    name: str
    steps: str


@dataclass(frozen=True, slots=True)
class Stream:
    """A live output."""

    name: str
    """Its section of the settings, and its name in the statistics."""
    title: str
    summary: str
    host: str
    """Where it goes when it is switched on for the first time."""
    unit: str
    """What is counted."""
    silence: str
    """Why nothing may be sent while it is on."""
    rows: Mapping[str, Row]
    receivers: tuple[Receiver, ...]


VMC = Stream(
    "osc",
    "VMC",
    "Avatars and engines: VSeeFace, Warudo, Unity, Blender.",
    "127.0.0.1",
    "packets",
    "The capture does not run yet.",
    {
        "osc.host": Row("", "Receiver"),
        "osc.port": Row("", "Port", 1, 65535),
        "osc.vrm": Row("", "Avatar", path=AVATARS, nothing="the performer's own bones"),
        "osc.rate_hz": Row("", "At most", 30, 120, 5, "Hz"),
        "osc.root_motion": Row("", "Moves by"),
        "osc.mirror": Row("", "Mirror"),
        "osc.turn_180": Row("", "Turn round"),
    },
    (
        Receiver(
            "VSeeFace, Warudo",
            "Choose VMC as the tracking source, with the port above.\n"
            "Name the avatar's .vrm above; if it looks away, switch on “Turn round”.",
        ),
        Receiver(
            "Unity",
            "Add our MocapAppReceiver.cs (exporters/unity) or EVMC4U to the humanoid.\n"
            "Give it the port above and press Play.",
        ),
        Receiver(
            "Blender",
            "Install the add-on in exporters/blender_addon.\n"
            "In the 3-D view press N, open Mocap, give it the port above, Start.",
        ),
    ),
)
VRCHAT = Stream(
    "vrchat",
    "VRChat",
    "Full-body trackers in the game, over OSC.",
    "127.0.0.1",
    "packets",
    "Nobody is seen, or the capture does not run yet.",
    {
        "vrchat.host": Row("", "Computer"),
        "vrchat.port": Row("", "Port", 1, 65535),
        "vrchat.height_m": Row("", "Your height", 0.5, 3.0, 0.01, "m", nothing="as measured"),
        "vrchat.trackers": Row("", "Trackers"),
    },
    (
        Receiver(
            "VRChat",
            "Switch OSC on in the game, and set your height there and above alike.\n"
            "Then calibrate full-body tracking in the game.",
        ),
    ),
)
BROWSER = Stream(
    "web",
    "Browser",
    "A page that draws the motion, and JSON over WebSocket.",
    "127.0.0.1",
    "messages",
    "Nobody watches yet: open the address in a browser.",
    {
        "web.host": Row("", "Who may watch"),
        "web.port": Row("", "Port", 1, 65535),
    },
    (
        Receiver(
            "Any browser",
            "Open the address above. For a phone or a tablet choose “whole network” first;\n"
            "the firewall of this computer may ask once.",
        ),
        Receiver(
            "Your own page",
            "Open a WebSocket to the same address with ws:// in place of http://.\n"
            "It tells the skeleton first, then for every frame rotations and joints.",
        ),
    ),
)
STREAMS = (VMC, VRCHAT, BROWSER)
