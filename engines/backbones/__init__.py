"""Image encoders: pixels to feature maps."""
