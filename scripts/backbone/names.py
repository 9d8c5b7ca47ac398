"""The order in which the published files list the convolutions, as the names of our modules."""

from __future__ import annotations

from collections.abc import Iterator

from engines.backbones.blazepose.plans import DETECTION_TRUNK, POSE_PLANS, PosePlan, TrunkPlan


def separable(name: str) -> tuple[str, str]:
    """Return the names of a `Separable`, or of anything with the same two convolutions."""
    return f"{name}.depthwise", f"{name}.pointwise"


def trunk_names(plan: TrunkPlan, laterals: dict[int, list[str]]) -> Iterator[str]:
    """Yield the trunk's names; a stage's laterals come right after the first convolution of what follows it."""
    yield from ("trunk.stem", *separable("trunk.entry"))
    for number, blocks in enumerate(plan.stages):
        for index in range(len(blocks)):
            block = f"trunk.stages.{number}.{index}"
            yield f"{block}.expand"
            if index == 0:
                for lateral in laterals.get(number - 1, []):
                    yield from separable(lateral)
            yield from (f"{block}.depthwise", f"{block}.project")
    yield from ("trunk.top_expand", "trunk.top_depthwise")


def pose_names(variant: str) -> list[str]:
    """Return the names of a pose encoder's convolutions, without those of the mask."""
    plan = POSE_PLANS[variant]
    laterals = {level: [f"pyramid.laterals.{level}"] for level in range(3)}
    for index in range(len(plan.context) - 1):
        laterals[index + 1].append(f"context.laterals.{index}")
    return [
        *trunk_names(plan.trunk, laterals),
        *separable("pyramid.top"),
        *context_names(plan),
        "heatmap",
        *separable("branch"),
        *reduce_names(plan),
        "landmarks",
        "world",
        "presence",
    ]


def context_names(plan: PosePlan) -> Iterator[str]:
    """Yield the names of `Context`, without its laterals."""
    for step, (_, repeats) in enumerate(plan.context):
        yield from separable(f"context.steps.{step}.0")
        for index in range(repeats):
            yield from separable(f"context.steps.{step}.{index + 1}.body")


def reduce_names(plan: PosePlan) -> Iterator[str]:
    """Yield the names of the landmark branch below stride 32."""
    index = 0
    for repeats in plan.repeats:
        yield from separable(f"reduce.{index}")
        for offset in range(1, repeats + 1):
            yield from separable(f"reduce.{index + offset}.body")
        index += repeats + 1


def detection_names() -> list[str]:
    """Return the names of the person detector's convolutions."""
    laterals = {1: ["to_fine.lateral"], 2: ["to_middle.lateral"]}
    names = list(trunk_names(DETECTION_TRUNK, laterals))
    for level in ("to_middle", "to_fine"):
        names += [f"{level}.narrow", *separable(f"{level}.refine.0.body"), *separable(f"{level}.refine.1.body")]
    for index in range(3):
        names += [*separable(f"scores.{index}"), *separable(f"boxes.{index}")]
    return names
