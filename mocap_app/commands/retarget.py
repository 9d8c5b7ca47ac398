"""Carry a take's motion over to a rig of your own, from a BVH file or a glTF or VRM model.

Limbs point where the performer's do, whatever pose the rig rests in, and the hips move in the ratio of the legs. The
rig's bones are guessed by their names (Mixamo, Rigify, VRM, Unreal's mannequin, CMU, SMPL and others); joints that have
no counterpart keep their rest.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from exporters.bone_maps import BoneMap
from exporters.files import FORMATS, read_take, suffix_of, write_take
from exporters.options import ExportOptions, choices_for
from exporters.resample import exact_rate
from exporters.retarget import retarget, with_plain_rest
from exporters.rigs import RIG_POSES, Rig, read_rig
from exporters.takes import trimmed
from exporters.types import Take

from ..errors import ConfigError
from .export import parse_span
from .messages import start_logging
from .settings import add_verbosity

logger = logging.getLogger(__name__)

EXAMPLES = """examples:
  mocap-app retarget take.npz --onto rig.bvh --to out.bvh
  mocap-app retarget take.npz --onto avatar.vrm --to out.bvh --fps 60
  mocap-app retarget take.npz --onto rig.bvh --write-map map.yaml      the guess, for editing
  mocap-app retarget take.npz --onto rig.bvh --map map.yaml --to out.bvh

A BVH is written in the rig's own unit, with its names, offsets and axis upwards, so that it plays on the rig."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("take", type=Path, metavar="TAKE", help="the motion (.npz, or a .bvh whose rest is a T-pose)")
    parser.add_argument("--onto", type=Path, required=True, metavar="RIG", help="the rig: .bvh, .glb, .gltf or .vrm")
    parser.add_argument("--to", type=Path, metavar="FILE", help="file to write")
    parser.add_argument("--map", type=Path, metavar="FILE", help="YAML file that names the rig's bone for each joint")
    parser.add_argument("--write-map", type=Path, metavar="FILE", help="write the map that is used to FILE")
    parser.add_argument("--fps", metavar="RATE", help="frames per second, as 30, 29.97 or 30000/1001")
    parser.add_argument("--trim", type=parse_span, default=(None, None), metavar="START:END", help="seconds to keep")
    parser.add_argument("--rig-pose", choices=RIG_POSES, default="rest", help="what a BVH rig's T-pose or A-pose is")
    parser.add_argument(
        "--rig-up", choices=("y", "z"), help="the axis of a BVH rig that is up (default: seen from its legs)"
    )
    add_verbosity(parser)


def main(args: argparse.Namespace) -> int:
    """Write the motion, the map, or both, and print their paths.

    Raises:
        ConfigError: nothing to write is named, or the rate or the map is wrong.
    """
    start_logging(args)
    from ..bone_map_file import read_bone_map, write_bone_map
    from ..export.write import free_path

    if args.to is None and args.write_map is None:
        raise ConfigError("retarget: found neither --to nor --write-map, expected a file to write; name one")
    rig = read_rig(args.onto, args.rig_pose, args.rig_up)
    bones = rig.bone_map if args.map is None else read_bone_map(args.map)
    if args.write_map is not None:
        path = free_path(args.write_map, args.write_map.suffix or "")
        write_bone_map(path, bones, rig.skeleton)
        print(path)
    if args.to is not None:
        suffix = suffix_of(args.to)
        options = options_for(suffix, rig, args.fps)
        take = moved(args, rig, bones)
        path = free_path(args.to, suffix)
        write_take(take, path, options)
        print(path)
    return 0


def moved(args: argparse.Namespace, rig: Rig, bones: BoneMap) -> Take:
    """Return the rig in motion."""
    take = retarget(trimmed(read_take(args.take), *args.trim), rig, bones)
    left = [name for name in rig.skeleton.joint_names if name not in bones.values()]
    logger.info("%d bones of %s move, %d keep their rest", len(bones), args.onto.name, len(left))
    logger.debug("at rest: %s", ", ".join(left))
    # A model's joints have axes of their own, which are no pose to rest in for a file that begins anew.
    return take if args.onto.suffix.lower() == ".bvh" else with_plain_rest(take, rig)


def options_for(suffix: str, rig: Rig, fps: str | None) -> ExportOptions:
    """Return what the file is to be like.

    Raises:
        ConfigError: no such rate, or the format has no rate.
    """
    options = ExportOptions(fps=fps, up=rig.up if "up" in FORMATS[suffix].options else None)
    try:
        choices_for(options, suffix, FORMATS[suffix])
        if fps is not None:
            exact_rate(fps)
    except ValueError as error:
        raise ConfigError(f"--{error}; change --fps, or leave it out") from error
    return options
