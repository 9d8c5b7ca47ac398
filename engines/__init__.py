"""Perception: image in, boxes and bodies out. Importing this package loads NumPy only."""
