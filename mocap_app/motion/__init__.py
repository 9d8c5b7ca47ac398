"""From recovered bodies in camera axes to filtered poses in the world."""
