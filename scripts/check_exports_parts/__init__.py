"""Parts of `scripts/check_exports`."""
