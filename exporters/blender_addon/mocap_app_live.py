# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright the mocap-app maintainers
"""Live motion in Blender: receives a humanoid by the VMC protocol (OSC over UDP) and moves an armature.

Unity's space (left-handed, y up, a performer who faces +z has the left at -x) becomes Blender's (right-handed, z up,
facing -y, left at +x). Nothing but Blender is needed.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator

import bpy
from bpy.app.handlers import persistent
from mathutils import Quaternion, Vector

bl_info = {
    "name": "Mocap App Live",
    "author": "the mocap-app maintainers",
    "version": (1, 0, 0),
    "blender": (3, 6, 0),
    "location": "3D View > Sidebar > Mocap",
    "description": "Move an armature live by the VMC protocol",
    "category": "Animation",
}

DEFAULT_PORT = 39539
TICK_S = 1 / 60
MOST_BYTES = 65536
MOST_PACKETS = 1000
"""Read at one tick; a flood must not stop Blender."""

# ---- Open Sound Control 1.0 -----------------------------------------------------------------------------------

NUMBERS = {"i": ">i", "f": ">f", "h": ">q", "d": ">d", "t": ">Q"}
CONSTANTS = {"T": True, "F": False, "N": None, "I": float("inf")}


def decode(packet: bytes) -> Iterator[tuple[str, list]]:
    """Yield address and arguments of every message in a packet; raise ValueError or struct.error where it is none."""
    if not packet.startswith(b"#bundle\0"):
        yield decode_message(packet)
        return
    at = 16
    while at < len(packet):
        (size,) = struct.unpack_from(">i", packet, at)
        if size <= 0 or at + 4 + size > len(packet):
            raise ValueError("a part longer than its bundle")
        yield from decode(packet[at + 4 : at + 4 + size])
        at += 4 + size


def decode_message(packet: bytes) -> tuple[str, list]:
    """Return address and arguments of one message."""
    address, at = decode_text(packet, 0)
    types, at = decode_text(packet, at)
    if not (address.startswith("/") and types.startswith(",")):
        raise ValueError("no address or no types")
    arguments: list = []
    for kind in types[1:]:
        if kind in NUMBERS:
            arguments += struct.unpack_from(NUMBERS[kind], packet, at)
            at += struct.calcsize(NUMBERS[kind])
        elif kind == "s":
            text, at = decode_text(packet, at)
            arguments.append(text)
        elif kind in CONSTANTS:
            arguments.append(CONSTANTS[kind])
        else:
            raise ValueError(f"an argument of type {kind}")
    return address, arguments


def decode_text(packet: bytes, at: int) -> tuple[str, int]:
    """Return the text at `at`, and where the next thing begins: a multiple of four bytes on."""
    end = packet.index(b"\0", at)
    return packet[at:end].decode("utf-8"), at + (end - at) // 4 * 4 + 4


# ---- the body ---------------------------------------------------------------------------------------------------

PARENTS = {"Hips": "", "Spine": "Hips", "Chest": "Spine", "UpperChest": "Chest", "Neck": "UpperChest", "Head": "Neck"}
for _side in ("Left", "Right"):
    _arm = "UpperChest", "Shoulder", "UpperArm", "LowerArm", "Hand"
    _leg = "Hips", "UpperLeg", "LowerLeg", "Foot", "Toes"
    for _base, *_limb in (_arm, _leg):
        for _bone in _limb:
            PARENTS[_side + _bone] = _base
            _base = _side + _bone
"""The bones of Unity's humanoid that are used, parents first."""

TRUNKS = (("spine", "chest", "upperchest"), ("spine", "spine1", "spine2"), ("spine1", "spine2", "spine3"))
MIDDLES = {"Hips": ("hips", "pelvis"), "Neck": ("neck",), "Head": ("head",)}
LIMBS = {
    "Shoulder": ("collar", "clavicle", "shoulder"),
    "UpperArm": ("upperarm", "arm", "shoulder"),
    "LowerArm": ("lowerarm", "forearm", "elbow"),
    "Hand": ("wrist", "hand"),
    "UpperLeg": ("upperleg", "upleg", "thigh", "hip"),
    "LowerLeg": ("lowerleg", "leg", "calf", "shin", "knee"),
    "Foot": ("ankle", "foot"),
    "Toes": ("toes", "toebase", "toe", "foot"),
}
"""What bones are called, best first; a bone that is found is not looked at again, so that SMPL's left_shoulder (whose
left_collar comes first) is an upper arm and Mixamo's LeftShoulder is a shoulder."""
OVERRIDE = "mocap_bone"
"""A custom property of a bone with a humanoid bone's name, where the name does not tell."""


def plain(name: str) -> str:
    """Return a bone's name without prefixes and signs."""
    return re.sub(r"^jbip(c|(?=[lr]))", "", re.sub(r"[^a-z0-9]", "", name.split(":")[-1].lower()))


def find_bones(armature) -> dict[str, str]:
    """Return the armature's bone for each humanoid bone that is found."""
    names: dict[str, str] = {}
    for bone in armature.bones:
        names.setdefault(plain(bone.name), bone.name)
    told = {bone[OVERRIDE]: bone.name for bone in armature.bones if bone.get(OVERRIDE) in PARENTS}
    wanted = dict(MIDDLES)
    trunk = max(TRUNKS, key=lambda scheme: sum(name in names for name in scheme))
    wanted.update({bone: (name,) for bone, name in zip(("Spine", "Chest", "UpperChest"), trunk)})
    for side in ("left", "right"):
        for bone, stems in LIMBS.items():
            spelt = [(side + stem, side[0] + stem, stem + side[0], stem + side) for stem in stems]
            wanted[side.capitalize() + bone] = [name for names_of_stem in spelt for name in names_of_stem]
    found = dict(told)
    for bone, candidates in wanted.items():
        free = [names[n] for n in candidates if n in names and names[n] not in found.values()]
        if bone not in found and free:
            found[bone] = free[0]
    return {bone: found[bone] for bone in PARENTS if bone in found}


def blender_position(values) -> Vector:
    """Return a position from Unity's space."""
    x, y, z = values
    return Vector((-x, -z, y))


def blender_quaternion(values) -> Quaternion:
    """Return a rotation from Unity's x, y, z, w."""
    x, y, z, w = values
    return Quaternion((w, x, z, -y)).normalized()


# ---- what arrives -----------------------------------------------------------------------------------------------


class Receiver:
    """A port of this machine, and the newest whole frame that came there, in Blender's axes.

    Attributes:
        bones: humanoid name -> local position and rotation.
        root: position and rotation of the whole.
        time_s: the sender's clock.
        tracked: whether the sender sees somebody.
        frames: how many whole frames came.
        rejected: how many packets were no OSC, or had numbers that are none.
    """

    def __init__(self, port: int) -> None:
        self.bones: dict[str, tuple[Vector, Quaternion]] = {}
        self.root = (Vector(), Quaternion())
        self.time_s = 0.0
        self.tracked = False
        self.frames = self.rejected = 0
        self._fresh: dict[str, tuple[Vector, Quaternion]] = {}
        self._most = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(("", port))
        except (OSError, OverflowError):
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self.port = self._socket.getsockname()[1]

    def poll(self) -> bool:
        """Read what has come, without waiting; return whether a frame was finished."""
        before = self.frames
        for _ in range(MOST_PACKETS):
            try:
                packet = self._socket.recv(MOST_BYTES)
            except BlockingIOError:
                break
            except ConnectionResetError:  # Windows tells of something that was sent before
                continue
            try:
                for address, arguments in decode(packet):
                    self._take(address, arguments)
            except (ValueError, TypeError, struct.error):
                self.rejected += 1
        return self.frames > before

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def _take(self, address: str, arguments: list) -> None:
        if address == "/VMC/Ext/OK":
            self.tracked = bool(arguments and arguments[0]) and (len(arguments) < 4 or bool(arguments[3]))
        elif address == "/VMC/Ext/T":
            self.time_s = float(arguments[0])
        elif address in ("/VMC/Ext/Root/Pos", "/VMC/Ext/Bone/Pos"):
            name, numbers = arguments[0], [float(n) for n in arguments[1:8]]
            if len(numbers) < 7 or not all(abs(n) < 1e6 for n in numbers) or not any(numbers[3:]):
                raise ValueError("no position and rotation")
            placed = blender_position(numbers[:3]), blender_quaternion(numbers[3:])
            if address == "/VMC/Ext/Root/Pos":
                self.root = placed
            elif name in PARENTS:
                self._add(name, placed)

    def _add(self, name: str, placed: tuple[Vector, Quaternion]) -> None:
        """A frame is whole when every bone has come, or when one comes again because a packet was lost."""
        if name in self._fresh:
            self._finish()
        self._fresh[name] = placed
        if len(self._fresh) == self._most:
            self._finish()

    def _finish(self) -> None:
        self.bones = {**self.bones, **self._fresh}
        self._most = max(self._most, len(self._fresh))
        self._fresh = {}
        self.frames += 1


# ---- what is moved ----------------------------------------------------------------------------------------------


def above(name: str, known) -> str:
    """Return the nearest bone above `name` that is among `known`, or nothing."""
    name = PARENTS[name]
    while name and name not in known:
        name = PARENTS[name]
    return name


def leg_length(places: dict[str, Vector]) -> float:
    """Return the length of thigh and shin, from where the joints are at rest."""
    joints = [places.get("Left" + bone) for bone in ("UpperLeg", "LowerLeg", "Foot")]
    return (joints[1] - joints[0]).length + (joints[2] - joints[1]).length if all(joints) else 0.0


def rest_places(bones: dict[str, tuple[Vector, Quaternion]]) -> dict[str, Vector]:
    """Return where the joints of the received body are in its T-pose, with the lowest on the floor."""
    places = {}
    for name in PARENTS:
        if name in bones:
            parent = above(name, bones)
            places[name] = places[parent] + bones[name][0] if parent else Vector()
    lowest = min(place.z for place in places.values())
    return {name: place - Vector((0, 0, lowest)) for name, place in places.items()}


def make_armature(context, bones: dict[str, tuple[Vector, Quaternion]]):
    """Return a new armature object with the received body's own bones, in its T-pose."""
    places = rest_places(bones)
    data = bpy.data.armatures.new("Mocap")
    target = bpy.data.objects.new("Mocap", data)
    context.scene.collection.objects.link(target)
    context.view_layer.objects.active = target
    bpy.ops.object.mode_set(mode="EDIT")
    for name, place in places.items():
        bone = data.edit_bones.new(name)
        bone.head, bone.tail = place, place + pointing(name, places)
        if above(name, places):
            bone.parent = data.edit_bones[above(name, places)]
    bpy.ops.object.mode_set(mode="OBJECT")
    return target


def pointing(name: str, places: dict[str, Vector]) -> Vector:
    """Return from head to tail of a new bone: to the next joint, or some way on; never nothing, or Blender drops it."""
    below = [places[n] for n in places if above(n, places) == name and not n.endswith(("Shoulder", "UpperLeg"))]
    if below and (below[0] - places[name]).length > 0.01:
        return below[0] - places[name]
    if name.endswith("Toes"):
        return Vector((0, -0.06, 0))
    parent = above(name, places)
    on = places[name] - places[parent] if parent else Vector()
    return on.normalized() * 0.12 if on.length > 0.01 else Vector((0, 0, 0.12))


class Puppet:
    """An armature that takes poses; its rest pose must be a T-pose, facing -y. Found anew by name at every pose, for
    Blender's undo replaces what is held."""

    def __init__(self, target, bones: dict[str, tuple[Vector, Quaternion]]) -> None:
        self.name = target.name
        self.map = find_bones(target.data)
        if "Hips" not in self.map:
            raise ValueError(f'{target.name} has no bone that is called like hips; set the property "{OVERRIDE}"')
        heads = {bone: target.data.bones[name].head_local for bone, name in self.map.items()}
        received = leg_length(rest_places(bones))
        self.scale = leg_length(heads) / received if received and leg_length(heads) else 1.0

    def apply(self, bones: dict[str, tuple[Vector, Quaternion]], root: tuple[Vector, Quaternion]) -> None:
        """Take a pose. What an absent bone turns is turned by those below it."""
        target = bpy.data.objects[self.name]
        world: dict[str, Quaternion] = {}
        for name in PARENTS:
            if name in bones:
                parent = above(name, bones)
                world[name] = (world[parent] if parent else root[1]) @ bones[name][1]
        for name in (n for n in self.map if n in world):
            bone, parent = target.pose.bones[self.map[name]], above(name, self.map.keys() & world.keys())
            rest = bone.bone.matrix_local.to_quaternion()
            turn = (world[parent].inverted() if parent else Quaternion()) @ world[name]
            bone.rotation_mode = "QUATERNION"
            bone.rotation_quaternion = signed(rest.inverted() @ turn @ rest, bone.rotation_quaternion)
            if name == "Hips":
                place = self.scale * (root[0] + root[1] @ bones[name][0])
                bone.location = rest.inverted() @ (place - bone.bone.head_local)

    def record(self, frame: float) -> None:
        """Set keyframes."""
        target = bpy.data.objects[self.name]
        for name, own in self.map.items():
            target.pose.bones[own].keyframe_insert("rotation_quaternion", frame=frame, group=own)
            if name == "Hips":
                target.pose.bones[own].keyframe_insert("location", frame=frame, group=own)


def signed(quaternion: Quaternion, before: Quaternion) -> Quaternion:
    """Return the same rotation with the sign nearest to `before`, so that curves between keyframes do not spin."""
    return -quaternion if quaternion.dot(before) < 0 else quaternion


# ---- running ----------------------------------------------------------------------------------------------------


class Live:
    """One reception: a port, and the armature that follows."""

    def __init__(self, port: int, target_name: str = "") -> None:
        self.receiver = Receiver(port)
        self.puppet: Puppet | None = None
        self.problem = ""
        self._target_name = target_name
        self._begun: tuple[float, int] | None = None

    def step(self, context) -> bool:
        """Take what has come; return False when there is nothing left to move."""
        if not self.receiver.poll() or not self.receiver.tracked:
            return True
        if self.puppet is None:
            self.puppet = self._make_puppet(context)
        if self.puppet is None or self.puppet.name not in bpy.data.objects:
            self.problem = self.problem or "the armature is gone"
            return False
        self.puppet.apply(self.receiver.bones, self.receiver.root)
        self._record(context.scene)
        return True

    def _make_puppet(self, context) -> Puppet | None:
        try:
            target = bpy.data.objects.get(self._target_name) or make_armature(context, self.receiver.bones)
            return Puppet(target, self.receiver.bones)
        except (ValueError, RuntimeError) as error:
            self.problem = str(error)
            return None

    def _record(self, scene) -> None:
        """Set keyframes at the sender's time, from the scene's frame at which recording was switched on."""
        if not scene.mocap_live.record:
            self._begun = None
            return
        if self._begun is None or self.receiver.time_s < self._begun[0]:
            self._begun = self.receiver.time_s, scene.frame_current
        rate_hz = scene.render.fps / scene.render.fps_base
        self.puppet.record(self._begun[1] + round((self.receiver.time_s - self._begun[0]) * rate_hz))


live: Live | None = None


def tick() -> float | None:
    """Be called by Blender's timer until reception ends."""
    if live is None:
        return None
    if not live.step(bpy.context):
        print(f"Mocap App Live: {live.problem}")
        stop()
        return None
    return TICK_S


def stop() -> None:
    """End reception; the armature keeps its last pose."""
    global live
    if live is not None:
        live.receiver.close()
        live = None
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)


@persistent
def stop_before_load(*_) -> None:
    """End reception when another file is opened."""
    stop()


class MocapLiveSettings(bpy.types.PropertyGroup):
    """What the panel shows."""

    port: bpy.props.IntProperty(name="Port", default=DEFAULT_PORT, min=1, max=65535)
    target: bpy.props.EnumProperty(
        name="Moves",
        items=(("NEW", "New armature", "Make an armature with the performer's own bones"),
               ("ACTIVE", "Active armature", "Move the active armature, whose rest pose must be a T-pose")),
    )  # fmt: skip
    record: bpy.props.BoolProperty(name="Record", description="Set keyframes from the current frame on")


class MOCAP_OT_start(bpy.types.Operator):
    """Receive motion and move the armature."""

    bl_idname = "mocap_live.start"
    bl_label = "Start"

    @classmethod
    def poll(cls, context) -> bool:
        """Say whether reception can begin."""
        return live is None

    def execute(self, context) -> set[str]:
        """Open the port and start the timer."""
        global live
        settings, active = context.scene.mocap_live, context.view_layer.objects.active
        if settings.target == "ACTIVE" and (active is None or active.type != "ARMATURE"):
            self.report({"ERROR"}, "the active object is no armature; select one, or choose New armature")
            return {"CANCELLED"}
        try:
            live = Live(settings.port, active.name if settings.target == "ACTIVE" else "")
        except (OSError, OverflowError) as error:
            self.report({"ERROR"}, f"port {settings.port} cannot be had ({error}); stop the program that has it")
            return {"CANCELLED"}
        bpy.app.timers.register(tick)
        return {"FINISHED"}


class MOCAP_OT_stop(bpy.types.Operator):
    """End reception; the armature keeps its last pose."""

    bl_idname = "mocap_live.stop"
    bl_label = "Stop"

    @classmethod
    def poll(cls, context) -> bool:
        """Say whether there is something to end."""
        return live is not None

    def execute(self, context) -> set[str]:
        """Close the port."""
        stop()
        return {"FINISHED"}


class MOCAP_PT_panel(bpy.types.Panel):
    """The page in the sidebar."""

    bl_label = "Mocap App Live"
    bl_space_type, bl_region_type, bl_category = "VIEW_3D", "UI", "Mocap"

    def draw(self, context) -> None:
        """Draw settings, buttons and what arrives."""
        settings, column = context.scene.mocap_live, self.layout.column()
        for name in ("port", "target"):
            row = column.row()
            row.enabled = live is None
            row.prop(settings, name)
        column.prop(settings, "record", toggle=True, icon="REC")
        column.operator("mocap_live.stop" if live else "mocap_live.start", icon="PAUSE" if live else "PLAY")
        if live is not None:
            seen = "receiving" if live.receiver.tracked else "waiting for somebody"
            column.label(text=f"{seen}, {live.receiver.frames} frames")


CLASSES = (MocapLiveSettings, MOCAP_OT_start, MOCAP_OT_stop, MOCAP_PT_panel)


def register() -> None:
    """Be called by Blender when the add-on is switched on."""
    for one in CLASSES:
        bpy.utils.register_class(one)
    bpy.types.Scene.mocap_live = bpy.props.PointerProperty(type=MocapLiveSettings)
    bpy.app.handlers.load_pre.append(stop_before_load)


def unregister() -> None:
    """Be called by Blender when the add-on is switched off."""
    stop()
    bpy.app.handlers.load_pre.remove(stop_before_load)
    del bpy.types.Scene.mocap_live
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)


if __name__ == "__main__":
    register()
