"""Mesh to picture with moderngl, without a window and without Qt: overlay, demo actor, training."""

from .renderer import Light, MeshRenderer, Surface

__all__ = ["Light", "MeshRenderer", "Surface"]
