"""Makes the free body from Anny (build time only)."""
