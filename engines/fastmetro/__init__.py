"""FastMETRO (Cho, Youwang, Oh, ECCV 2022): learned joint and vertex tokens read a mesh off an image."""
