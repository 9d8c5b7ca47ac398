"""Webcam motion capture for Blender and Unity."""

__version__ = "0.1.0"
