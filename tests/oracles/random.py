"""The random control from the generator's raw bits."""

import numpy as np

from medgemma_dash.core.answer import Answer


def random(answer: Answer, token: int) -> np.ndarray:
    """Uniform on [0, 1) over the image, (S,): the upper 53 bits of PCG64, seeded by the answer."""
    start, stop = answer.image_span
    bits = np.random.PCG64(np.random.SeedSequence([int(answer.key, 16), token]))
    found = np.zeros(len(answer.input_ids))
    found[start:stop] = (bits.random_raw(stop - start) >> np.uint64(11)) * 2.0**-53
    return found
