"""The body: a template, its shapes, its joints and its skinning in the SMPL layout.

Importing this package loads NumPy only; `skinning` needs torch and `smplx_body` the extra `smpl`.
"""

from .joints import JOINT_COUNT, SMPL_JOINT_NAMES, SMPL_PARENTS
from .parameters import BodyParameters, load_body

__all__ = ["JOINT_COUNT", "SMPL_JOINT_NAMES", "SMPL_PARENTS", "BodyParameters", "load_body"]
