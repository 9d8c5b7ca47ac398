"""What the mesh families share around their networks: the crops, the frozen encoder, a body's place in the camera."""
