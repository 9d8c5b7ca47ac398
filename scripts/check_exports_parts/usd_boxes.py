"""Print the bounding boxes of the surface that UsdSkel moves, for each sample, as one line of JSON.

usage: python usd_boxes.py FILE  (needs usd-core and NumPy; knows nothing of this application)
"""

import json
import sys

import numpy as np
from pxr import Usd, UsdGeom, UsdSkel

stage = Usd.Stage.Open(sys.argv[1])
root = next(UsdSkel.Root(p) for p in stage.Traverse() if p.IsA(UsdSkel.Root))
cache = UsdSkel.Cache()
cache.Populate(root, Usd.PrimDefaultPredicate)
(binding,) = cache.ComputeSkelBindings(root, Usd.PrimDefaultPredicate)
query = cache.GetSkelQuery(binding.GetSkeleton())
scale = UsdGeom.GetStageMetersPerUnit(stage)
target = next(iter(binding.GetSkinningTargets()))
points = UsdGeom.Mesh(target.GetPrim()).GetPointsAttr().Get()
boxes = {}
for number, time in enumerate(query.GetAnimQuery().GetJointTransformTimeSamples()):
    moved = type(points)(points)
    target.ComputeSkinnedPoints(query.ComputeSkinningTransforms(time), moved, time)
    # Skinned points are in the skeleton's own space.
    matrix = np.array(UsdGeom.XformCache(time).GetLocalToWorldTransform(binding.GetSkeleton().GetPrim()))
    world = scale * (np.array(moved) @ matrix[:3, :3] + matrix[3, :3])
    boxes[str(number)] = {"surface": [world.min(axis=0).tolist(), world.max(axis=0).tolist()]}
print(json.dumps({"mesh_bbox": boxes}))
