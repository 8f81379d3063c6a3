"""Bits of a word above BitsStored are no pixels (PS3.5 8.1.1). Runs in the decoding process.

Old files keep overlay planes there, and archives compress the words with them.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Integer

# A lossy codec overshoots by little; a bit of an overlay stands anywhere above the range.
_OVERSHOOT = 1 / 8
_LEFT_OUT = (
    "The words of the picture hold more than the {bits} bits that the file says are its pixels "
    "(old overlays, for example); the bits above are left out."
)


def within_stored_bits(
    stored: Integer[np.ndarray, "*shape"], bits: int, signed: bool, *, lossy: bool
) -> tuple[Integer[np.ndarray, "*shape"], tuple[str, ...]]:
    """Values in the range of their stored bits, and a notice if others were set.

    Signed values are extended from their highest stored bit. Values that a lossy codec carried
    just beyond the range are set to its end: without their upper bits, white would be black.
    """
    unused = 8 * stored.dtype.itemsize - bits
    if unused == 0:
        return stored, ()
    top = 2**bits
    if lossy and not signed and top <= int(stored.max()) < top * (1 + _OVERSHOOT):
        return np.minimum(stored, top - 1).astype(stored.dtype), ()
    above = stored >> bits  # 0, or -1 where a sign is extended, unless something else stands there
    foreign = int(above.max()) > 0 or int(above.min()) < -1
    values = (stored << unused) >> unused
    return values, ((_LEFT_OUT.format(bits=bits),) if foreign else ())
