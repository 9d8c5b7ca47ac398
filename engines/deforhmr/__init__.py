"""DeforHMR: a transformer decoder with query-agnostic deformable cross-attention (see README.md here)."""
