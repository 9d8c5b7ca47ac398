"""Print the joint rotations and deformed meshes that UsdSkel finds on a stage, as one line of JSON.

usage: python rotations_usd.py FILE  (needs usd-core)
"""

import json
import sys

from pxr import Usd, UsdGeom, UsdSkel

stage = Usd.Stage.Open(sys.argv[1])
told = {}
for prim in stage.Traverse():
    if not prim.IsA(UsdSkel.Root):
        continue
    cache = UsdSkel.Cache()
    cache.Populate(UsdSkel.Root(prim), Usd.PrimDefaultPredicate)
    binding = cache.ComputeSkelBindings(UsdSkel.Root(prim), Usd.PrimDefaultPredicate)
    skeleton = next(UsdSkel.Skeleton(p) for p in Usd.PrimRange(prim) if p.IsA(UsdSkel.Skeleton))
    query = cache.GetSkelQuery(skeleton)
    times = query.GetAnimQuery().GetJointTransformTimeSamples()
    rotations, boxes = [], []
    for time in times:
        local = [m.ExtractRotationQuat() for m in query.ComputeJointLocalTransforms(time)]
        rotations.append([[q.GetReal(), *q.GetImaginary()] for q in local])
        for skinned in [s for b in binding for s in b.GetSkinningTargets()]:
            points = UsdGeom.Mesh(skinned.GetPrim()).GetPointsAttr().Get()
            skinned.ComputeSkinnedPoints(query.ComputeSkinningTransforms(time), points, time)
            boxes.append([[min(p[k] for p in points) for k in range(3)], [max(p[k] for p in points) for k in range(3)]])
    told[prim.GetName()] = {
        "joints": [str(j).rsplit("/", 1)[-1] for j in query.GetJointOrder()],
        "times": list(times),
        "rotations_wxyz": rotations,
        "boxes": boxes,
    }
print(json.dumps(told))
