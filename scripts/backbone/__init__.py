"""Parts of convert_backbone.py."""
