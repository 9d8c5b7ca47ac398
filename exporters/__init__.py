"""Motion out: skeletons, poses and takes to files and network messages. Imports NumPy only."""
