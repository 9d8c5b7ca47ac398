"""Every network that the application runs, as the runtimes are given it; those without weights untrained."""

from __future__ import annotations

from functools import partial

import torch
from networks import build
from torch import nn

from engines.backbones.blazepose.load import load_person_detection, load_pose_encoder
from engines.recovery.golden import crops_trial, encoder_trial, golden_views, mesh_error_mm, sight_trial
from engines.recovery.recovery import ENCODER_OUTPUTS
from engines.registry import ENGINES
from engines.runtime.network import Network, Trial
from engines.runtime.stored import fill_network
from engines.weights import find_weights

SHAPES = {"landmarks": (39, 5), "world": (39, 3), "map16": (48, 16, 16), "map8": (288, 8, 8)}


def example(names: tuple[str, ...]) -> list[torch.Tensor]:
    return [torch.rand(1, *SHAPES[name]) for name in names]


def encoder() -> Network:
    crop = [torch.zeros(1, 3, 256, 256)]
    return Network(load_pose_encoder(), crop, ("crops",), ENCODER_OUTPUTS, "encoder", encoder_trial())


def detector() -> Network:
    picture = [torch.zeros(1, 3, 224, 224)]
    trial = Trial(lambda: [golden_views().crops(224) * 2 - 1])
    return Network(load_person_detection(), picture, ("pictures",), ("boxes", "scores"), "detector", trial)


def deforhmr(_: str) -> Network:
    from engines.deforhmr.engine import INPUTS, OUTPUTS, error_mm
    from engines.recovery.recovery import Recovery

    module = trained("deforhmr")
    recovery = Recovery("", "torch", "cpu", 1)
    return Network(module, example(INPUTS), INPUTS, OUTPUTS, "d", sight_trial(INPUTS, partial(error_mm, recovery)))


def fastmetro(configuration: str) -> Network:
    from engines.fastmetro.engine import CROP_PX, INPUTS, OUTPUTS, _FineMesh

    if configuration == "default":
        module = trained("fastmetro")
        module.network.settle()
        return Network(module, example(INPUTS), INPUTS, OUTPUTS, "f", sight_trial(INPUTS, mesh_error_mm))
    network = untrained("fastmetro", configuration)
    network.settle()
    size = (CROP_PX, CROP_PX)
    crops = [torch.zeros(1, 3, *size)]
    return Network(_FineMesh(network).eval(), crops, ("crops",), OUTPUTS, "f", crops_trial(size, mesh_error_mm))


def deformer(configuration: str) -> Network:
    from engines.deformer.engine import OUTPUTS, example_of

    if configuration == "default":
        module, inputs, names = example_of(trained("deformer"))
        return Network(module, inputs, names, OUTPUTS, "r", sight_trial(names, mesh_error_mm))
    network = untrained("deformer", configuration)
    module, inputs, names = example_of(network)
    return Network(module.eval(), inputs, names, OUTPUTS, "r", crops_trial(network.config.size_hw, mesh_error_mm))


def trained(engine: str) -> nn.Module:
    return fill_network(find_weights(ENGINES[engine].configurations["default"].weights), build(engine, "default"))


def untrained(engine: str, configuration: str) -> nn.Module:
    """Return the network with its weights drawn, its norms as if they had been trained."""
    torch.manual_seed(0)
    network = build(engine, configuration).eval().requires_grad_(False)
    if hasattr(network, "scale"):
        network.scale[-1].bias.fill_(0.5)
    return network


FAMILIES = {"deforhmr": deforhmr, "fastmetro": fastmetro, "deformer": deformer}
LIGHT = [("encoder", ""), ("detector", ""), *((name, "default") for name in FAMILIES)]
"""What is shipped: all else has a trunk of its own."""


def network_of(name: str, configuration: str) -> Network:
    if name in FAMILIES:
        return FAMILIES[name](configuration)
    return encoder() if name == "encoder" else detector()
