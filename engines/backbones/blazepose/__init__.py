"""BlazePose (Bazarevsky et al. 2020, arXiv:2006.10204): a pose encoder of one person and a person detector.

The networks are written anew in torch; their weights are converted from the files Google published under
Apache-2.0 (scripts/convert_backbone.py). Take them from `load`: `load_pose_encoder`, `load_person_detection`.
"""
