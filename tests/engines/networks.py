"""Every configuration of every mesh engine as a network, and as a file of random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from engines.body import load_body
from engines.body.topology import load_levels

HEAVY = ("paper", "H64", "W48", "M-R50", "L-R50")
"""Parts of names of configurations of which one forward is enough: they take seconds, some of them gigabytes."""


def is_heavy(configuration: str) -> bool:
    return any(part in configuration for part in HEAVY)


def build(engine: str, configuration: str) -> nn.Module:
    """Return the untrained network; inside `torch.device("meta")` it takes no memory."""
    body = load_body()
    if engine == "deforhmr":
        from engines.deforhmr.model import DefaultNetwork
        from engines.deforhmr.paper import PaperNetwork

        return PaperNetwork() if configuration == "paper" else DefaultNetwork()
    if engine == "deformer":
        from engines.deformer.stored import SIZES, build_network

        return build_network(SIZES[configuration], body)
    from engines.fastmetro.config import SIZES as FASTMETRO_SIZES
    from engines.fastmetro.default import DefaultNetwork as FastMetroDefault
    from engines.fastmetro.network import FastMetro
    from engines.fastmetro.topology import Topology

    topology = Topology.of_body(load_levels(body))
    config = FASTMETRO_SIZES[configuration]
    return FastMetroDefault(topology) if configuration == "default" else FastMetro(config, topology)


def write_random(engine: str, configuration: str, path: Path) -> Path:
    """Write a configuration with a trunk of its own, untrained, for the free body."""
    torch.manual_seed(0)
    network = build(engine, configuration)
    if engine == "deforhmr":
        from engines.deforhmr.stored import save_paper

        save_paper(path, network.state_dict(), network.trunk.config)
    elif engine == "deformer":
        from engines.deformer.stored import TRUNK_NAME
        from engines.runtime.stored import save_network

        save_network(path, network, TRUNK_NAME, network.config)
    else:
        from engines.fastmetro import stored
        from engines.fastmetro.topology import Topology

        topology = Topology.of_body(load_levels(load_body()))
        stored.save_network(path, network.config, topology, network.state_dict(), body="free")
    return path
