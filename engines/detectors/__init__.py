"""Detectors: a picture in, people's boxes out. Made by `engines.build_detector`."""
