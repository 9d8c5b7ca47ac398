"""DeFormer networks of either kind: over the frozen encoder, or with a trunk of their own."""

from __future__ import annotations

from pathlib import Path

from ..body import BodyParameters
from ..body.topology import load_levels
from ..recovery.vertices import check_body
from ..runtime.stored import fill_network, read_config, read_header
from .config import DEFAULT, DeformerConfig, with_trunk
from .default import DefaultNetwork
from .network import Deformer
from .tokens import token_mesh

DEFAULT_NAME, TRUNK_NAME = "deformer default", "deformer"
SIZES = {
    "default": DEFAULT,
    "R50": with_trunk("resnet50"),
    "W48": with_trunk("hrnet_w48"),
    "W48-384": with_trunk("hrnet_w48", (384, 288)),
    "W48-1737": with_trunk("hrnet_w48", vertices=1723),
    "W48-6904": with_trunk("hrnet_w48", vertices=6890),
}
"""The configurations that the options name."""


def build_network(config: DeformerConfig, body: BodyParameters) -> DefaultNetwork | Deformer:
    """Return an untrained network of these sizes: whole where the configuration names a trunk."""
    mesh = token_mesh(body, load_levels(body), config.vertices, config.rings)
    return Deformer(config, mesh) if config.trunk else DefaultNetwork(mesh, config)


def load_network(path: Path, body: BodyParameters) -> DefaultNetwork | Deformer:
    """Return the network of a file, frozen, in evaluation mode.

    Raises:
        WeightsError: the file is absent, damaged or holds a network of another kind or body.
    """
    header = read_header(path)
    name = TRUNK_NAME if header.get("network") == TRUNK_NAME else DEFAULT_NAME
    config = read_config(path, name, DeformerConfig)
    check_body(path, header["body"], body)
    network = build_network(config, body)
    fill_network(path, network)
    return network
