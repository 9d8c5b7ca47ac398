"""Runs inside Blender: switches the add-on on, follows a stream to its end, and prints where the joints are.

usage: python blender_live.py ADDON.py SCHEME FRAMES [--record]
SCHEME is `new`, or how the bones of an armature that is there already are called: `smpl`, `mixamo`, `short`.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time

import bpy
from mathutils import Vector

MIXAMO = {"Hips": "Hips", "Spine": "Spine", "Chest": "Spine1", "UpperChest": "Spine2", "Neck": "Neck", "Head": "Head"}
SMPL = {"Hips": "pelvis", "Spine": "spine1", "Chest": "spine2", "UpperChest": "spine3", "Neck": "neck", "Head": "head"}
LIMBS = {
    "Shoulder": ("Shoulder", "collar"), "UpperArm": ("Arm", "shoulder"), "LowerArm": ("ForeArm", "elbow"),
    "Hand": ("Hand", "wrist"), "UpperLeg": ("UpLeg", "hip"), "LowerLeg": ("Leg", "knee"), "Foot": ("Foot", "ankle"),
    "Toes": ("ToeBase", "foot"),
}  # fmt: skip
for side in ("Left", "Right"):
    for bone, (mixamo, smpl) in LIMBS.items():
        MIXAMO[side + bone], SMPL[side + bone] = side + mixamo, f"{side.lower()}_{smpl}"


def own_character(addon, bones, scheme: str) -> dict[str, str]:
    """Make an armature of twice the size, with rolls and directions of its own, and return its names."""
    places = addon.rest_places(bones)
    names = {b: f"mixamorig:{n}" for b, n in MIXAMO.items()} if scheme != "smpl" else dict(SMPL)
    if scheme == "short":  # without the bones a humanoid may lack, and one whose name says nothing
        names = {b: n for b, n in names.items() if b not in ("UpperChest", "Neck", "LeftShoulder", "LeftToes")}
        names["RightHand"] = "Bone.042"
    data = bpy.data.armatures.new("own")
    own = bpy.data.objects.new("own", data)
    bpy.context.scene.collection.objects.link(own)
    bpy.context.view_layer.objects.active = own
    bpy.ops.object.mode_set(mode="EDIT")
    for number, (humanoid, place) in enumerate(places.items()):
        if humanoid in names:
            bone = data.edit_bones.new(names[humanoid])
            bone.head = 2 * place
            bone.tail = 2 * place + Vector((0.1, 0.03 * (number % 5), 0.05))
            bone.roll = 0.3 * number
            parent = addon.above(humanoid, names)
            bone.parent = data.edit_bones[names[parent]] if parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    if scheme == "short":
        data.bones["Bone.042"]["mocap_bone"] = "RightHand"
    return names


def main() -> None:
    path, scheme, frames = sys.argv[1], sys.argv[2], int(sys.argv[3])
    spec = importlib.util.spec_from_file_location("mocap_app_live", path)
    addon = importlib.util.module_from_spec(spec)
    sys.modules["mocap_app_live"] = addon
    spec.loader.exec_module(addon)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon.register()
    scene = bpy.context.scene
    scene.render.fps, scene.frame_current = 30, 11
    # A free port, then the operator at it: the button is what users press.
    probe = addon.Receiver(0)
    scene.mocap_live.port = probe.port
    probe.close()
    scene.mocap_live.record = "--record" in sys.argv
    assert bpy.ops.mocap_live.start() == {"FINISHED"}
    try:
        addon.Receiver(scene.mocap_live.port)
        raise AssertionError("two receivers at one port")
    except OSError:
        pass
    print(f"listening {scene.mocap_live.port}", flush=True)
    follow(addon, scheme, frames)
    live = addon.live
    target = bpy.data.objects[live.puppet.name]
    bpy.context.view_layer.update()
    heads = {b: list(target.matrix_world @ target.pose.bones[n].head) for b, n in live.puppet.map.items()}
    told = {"frames": live.receiver.frames, "rejected": live.receiver.rejected, "tracked": live.receiver.tracked,
            "map": live.puppet.map, "scale": live.puppet.scale, "heads": heads, "keys": keys(target)}  # fmt: skip
    assert bpy.ops.mocap_live.stop() == {"FINISHED"}
    addon.unregister()
    print(json.dumps(told), flush=True)


def follow(addon, scheme: str, frames: int) -> None:
    """Step as the timer would, which needs a window, until the sender says goodbye."""
    until_s = time.monotonic() + 60
    while addon.live.receiver.frames < frames or addon.live.receiver.tracked:
        assert time.monotonic() < until_s, f"{addon.live.receiver.frames} frames"
        if scheme != "new" and not addon.live._target_name and addon.live.receiver.poll():
            own_character(addon, addon.live.receiver.bones, scheme)
            addon.live._target_name = "own"
        assert addon.live.step(bpy.context), addon.live.problem
        time.sleep(0.002)


def keys(target) -> list[float]:
    """Return the frames of the hips' keyframes."""
    action = target.animation_data.action if target.animation_data else None
    if action is None:
        return []
    curves = action.layers[0].strips[0].channelbags[0].fcurves if hasattr(action, "layers") else action.fcurves
    first = next(c for c in curves if "rotation_quaternion" in c.data_path)
    return [point.co[0] for point in first.keyframe_points]


main()
