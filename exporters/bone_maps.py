"""Which bone of somebody else's skeleton is which joint of ours: guessed from the names that programs use.

A bone map is `{SMPL joint name: bone name}`; joints without a counterpart are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

import numpy as np

from .errors import TakeFileError
from .skeletons import HUMANOID_BONES, SMPL_JOINT_NAMES
from .types import Skeleton

BoneMap = dict[str, str]

_LIMBS = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist", "hand")
# What each of the limbs' joints is called, without its side; several spellings are parted by "|".
_CONVENTIONS: dict[str, tuple[str, ...]] = {
    "smpl": ("hip", "knee", "ankle", "foot|toe|toebase", "collar|clavicle", "shoulder", "elbow", "wrist", "hand"),
    "mixamo": ("upleg", "leg", "foot", "toebase|toe", "shoulder", "arm", "forearm", "hand", ""),
    "vrm": ("upperleg", "lowerleg", "foot", "toes|toebase|toe", "shoulder", "upperarm", "lowerarm", "hand", ""),
    "unreal": ("thigh", "calf", "foot", "ball|toe0|toe", "clavicle", "upperarm", "lowerarm|forearm", "hand", ""),
    "rigify": ("thigh", "shin", "foot", "toe", "shoulder", "upperarm", "forearm", "hand", ""),
    "poser": ("thigh", "shin", "foot", "toe|toe11", "collar", "shldr", "forearm", "hand", ""),
    "mocapnet": ("hip", "knee", "foot", "toe11|toe", "collar", "shoulder", "elbow", "hand", ""),
    "makehuman": ("upperleg01", "lowerleg01", "foot", "toe11", "clavicle", "upperarm01", "lowerarm01", "wrist", ""),
}
_MIDDLE = {"pelvis": "hips|hip|pelvis", "neck": "neck|neck01|spine004", "head": "head|spine006"}
_SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}
_NOISE = {"mixamorig", "bip", "def", "org", "cc", "base", "j", "c", "f", "m", "avg", "valvebiped"}
"""Words that programs put before the name of every bone."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SPINE = ("spine1", "spine2", "spine3")

NEEDED = ("pelvis", "spine3", "head", *(f"{side}_{limb}" for side in ("left", "right") for limb in
          ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")))  # fmt: skip
"""Joints without which no motion can be carried over."""


def guess_bone_map(skeleton: Skeleton) -> BoneMap:
    """Return the map of `skeleton` by its names; what is not recognised is left out.

    Knows the names of SMPL, Mixamo, HumanIK, the CMU files, VRM and Unity, Unreal's mannequin, 3ds Max's biped, Rigify,
    Poser and MakeHuman.
    """
    keys: dict[tuple[str, str], str] = {}
    for name in skeleton.joint_names:
        keys.setdefault(_side_and_word(name), name)
    best = max((_limbs(keys, words) for words in _CONVENTIONS.values()), key=len)
    found = {**_middle(keys), **best}
    return _in_order({**found, **_trunk(skeleton, found)})


def check_bone_map(bone_map: Mapping[str, str], skeleton: Skeleton) -> None:
    """Refuse a map that cannot carry a motion onto `skeleton`.

    Raises:
        TakeFileError: a joint or bone that does not exist, a bone given twice, or a needed joint without a bone; all
            of them are named.
    """
    for joint, bone in bone_map.items():
        if joint not in SMPL_JOINT_NAMES:
            raise TakeFileError(f'bone map: found the joint "{joint}"{_near(joint, SMPL_JOINT_NAMES)}')
        if bone not in skeleton.joint_names:
            raise TakeFileError(f'bone map: {joint}: found the bone "{bone}"{_near(bone, skeleton.joint_names)}')
    twice = [bone for n, bone in enumerate(bone_map.values()) if bone in list(bone_map.values())[:n]]
    if twice:
        raise TakeFileError(f'bone map: found the bone "{twice[0]}" for two joints, expected a different one for each')
    missing = [f"{joint} ({HUMANOID_BONES[joint]})" for joint in NEEDED if joint not in bone_map]
    if missing:
        raise TakeFileError(
            f"{skeleton.name}: found no bone for {', '.join(missing)}, expected one for each; write the guess with "
            "--write-map, name the bones there, and pass it with --map"
        )


def _near(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f', expected "{close[0]}" or another that exists' if close else f", expected one of {', '.join(known)}"


def _side_and_word(name: str) -> tuple[str, str]:
    """Return "left", "right" or "", and the rest without what every bone of a program's begins with."""
    words = [word.lower() for word in _WORD.findall(name.rpartition(":")[2])]
    side = next((_SIDES[word] for word in words if word in _SIDES), "")
    kept = [word for word in words if word not in _SIDES and word not in _NOISE]
    while len(kept) > 1 and kept[0].isdigit():  # "Bip01 L Thigh"
        kept = kept[1:]
    return side, "".join(kept)


def _first(keys: Mapping[tuple[str, str], str], side: str, words: str) -> Iterable[str]:
    """Yield the bones of a side that are called one of `words`; "lShldr" may have lost its capital."""
    for word in words.split("|"):
        for key in ((side, word), ("", f"{side[:1]}{word}")):
            if word and key in keys:
                yield keys[key]


def _limbs(keys: Mapping[tuple[str, str], str], words: tuple[str, ...]) -> BoneMap:
    found: BoneMap = {}
    for side in ("left", "right"):
        for limb, spellings in zip(_LIMBS, words, strict=True):
            for bone in _first(keys, side, spellings):
                found.setdefault(f"{side}_{limb}", bone)
    return found


def _middle(keys: Mapping[tuple[str, str], str]) -> BoneMap:
    return {joint: bone for joint, words in _MIDDLE.items() for bone in list(_first(keys, "", words))[:1]}


def _trunk(skeleton: Skeleton, found: BoneMap) -> BoneMap:
    """Return pelvis and spine by what hangs on what, for their names and number differ most."""
    trunk: BoneMap = {}
    hips, shoulders = (_meeting(skeleton, found, joint) for joint in ("hip", "shoulder"))
    pelvis = skeleton.joint_names.index(found["pelvis"]) if "pelvis" in found else hips
    if pelvis is None:
        return trunk
    trunk["pelvis"] = skeleton.joint_names[pelvis]
    chain = [] if shoulders is None else [j for j in _way_up(skeleton, shoulders)[::-1] if j > pelvis]
    chosen = [chain[n] for n in np.unique(np.linspace(0, len(chain) - 1, min(len(chain), 3)).astype(int))]
    # The lowest bone bends with the waist, the highest carries the arms; what lies between may be absent.
    names = {1: _SPINE[2:], 2: (_SPINE[0], _SPINE[2])}.get(len(chosen), _SPINE)
    taken = set(found.values()) | set(trunk.values())
    bones = [skeleton.joint_names[j] for j in chosen]
    return trunk | {joint: bone for joint, bone in zip(names, bones, strict=False) if bone not in taken}


def _meeting(skeleton: Skeleton, found: BoneMap, limb: str) -> int | None:
    """Return the lowest joint that both sides' `limb` hang on."""
    if f"left_{limb}" not in found or f"right_{limb}" not in found:
        return None
    left, right = (
        _way_up(skeleton, skeleton.joint_names.index(found[f"{side}_{limb}"]))[1:] for side in ("left", "right")
    )
    return next((joint for joint in left if joint in right), None)


def _way_up(skeleton: Skeleton, joint: int) -> list[int]:
    """Return `joint` and everything it hangs on, the root last."""
    way = [joint]
    while skeleton.parents[way[-1]] >= 0:
        way.append(int(skeleton.parents[way[-1]]))
    return way


def _in_order(bone_map: BoneMap) -> BoneMap:
    return {joint: bone_map[joint] for joint in SMPL_JOINT_NAMES if joint in bone_map}
