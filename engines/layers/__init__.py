"""Building blocks the mesh engines share."""
