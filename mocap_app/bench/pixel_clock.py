"""A clock in the picture itself: the time is drawn into its corner, and read from whatever picture arrives.

So an age is measured from the picture that was really used, whatever the stamps beside it say.
"""

from __future__ import annotations

import binascii

import numpy as np
from numpy.typing import NDArray

BLOCK_PX = 4
BITS_PER_SIDE = 8
SIDE_PX = BLOCK_PX * BITS_PER_SIDE
DARK, LIGHT = 112, 144
"""Close to each other and to a wall's grey: neither detector nor engine takes the clock for somebody."""
CRC_START = 0xFFFF
"""Not 0, for which a black picture would be the time 0."""
_TIME_BYTES = 6


def draw_clock(image: NDArray[np.uint8], time_ns: int) -> None:
    """Draw `time_ns` (`time.monotonic_ns`), in whole microseconds, into the top left corner of `(H, W, 3)` image."""
    content = (time_ns // 1000 % (1 << 8 * _TIME_BYTES)).to_bytes(_TIME_BYTES, "big")
    content += binascii.crc_hqx(content, CRC_START).to_bytes(2, "big")
    bits = np.unpackbits(np.frombuffer(content, np.uint8)).reshape(BITS_PER_SIDE, BITS_PER_SIDE)
    shades = np.where(bits, LIGHT, DARK).astype(np.uint8)
    image[:SIDE_PX, :SIDE_PX] = shades.repeat(BLOCK_PX, 0).repeat(BLOCK_PX, 1)[..., None]


def read_clock(image: NDArray[np.uint8]) -> int | None:
    """Return the nanoseconds (whole microseconds) drawn into `(H, W, 3)` image, or None where there is no clock."""
    middle = slice(BLOCK_PX // 2, SIDE_PX, BLOCK_PX)
    bits = image[middle, middle, 1] > (DARK + LIGHT) // 2
    if bits.shape != (BITS_PER_SIDE, BITS_PER_SIDE):
        return None
    content = np.packbits(bits).tobytes()
    if binascii.crc_hqx(content[:_TIME_BYTES], CRC_START) != int.from_bytes(content[_TIME_BYTES:], "big"):
        return None
    return int.from_bytes(content[:_TIME_BYTES], "big") * 1000
