"""Print what Blender makes of an FBX with its default import settings; runs under a Python with `bpy`.

usage: python bones_in_blender.py take.fbx py|ufbx

Prints one line of JSON: for every armature the joints, for every frame of its action their places (metres) and their
turns from the rest pose (wxyz), in our axes: y up, facing +z.
"""

import json
import sys

import bpy
from mathutils import Matrix

TO_OURS = Matrix(((1, 0, 0), (0, 0, 1), (0, -1, 0)))


def frame_of(armature, bones):
    """Return places and turns from rest, all in our axes."""
    places, turns = [], []
    for bone in bones:
        now = armature.matrix_world @ bone.matrix
        rest = armature.matrix_world @ bone.bone.matrix_local
        places.append(list(TO_OURS @ now.translation))
        turn = now.to_3x3().normalized() @ rest.to_3x3().normalized().inverted()
        turns.append(list((TO_OURS @ turn @ TO_OURS.inverted()).to_quaternion()))
    return places, turns


def read(armature):
    first, last = (round(x) for x in armature.animation_data.action.frame_range)
    bones, places, turns = list(armature.pose.bones), [], []
    for frame in range(first, last + 1):
        bpy.context.scene.frame_set(frame)
        for rows, values in zip((places, turns), frame_of(armature, bones), strict=True):
            rows.append(values)
    return {"joints": [b.name for b in bones], "places_m": places, "turns_wxyz": turns}


bpy.ops.wm.read_factory_settings(use_empty=True)
importer = bpy.ops.wm.fbx_import if sys.argv[2] == "ufbx" else bpy.ops.import_scene.fbx
importer(filepath=sys.argv[1])
armatures = {o.name: read(o) for o in bpy.data.objects if o.type == "ARMATURE"}
scene = bpy.context.scene
print(json.dumps({"armatures": armatures, "fps": scene.render.fps / scene.render.fps_base}))
