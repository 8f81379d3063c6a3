"""16-bit colours to what is shown: conversion scripts write 12-bit films that way."""

import numpy as np
from jaxtyping import UInt8, UInt16

from medgemma_dash.imaging.window import apply_window, spanning_window

_OPAQUE = 65535


def without_alpha(
    samples: UInt16[np.ndarray, "rows cols channels"],
) -> tuple[UInt16[np.ndarray, "rows cols 3"], bool]:
    """The colours before black, and whether any of it is seen."""
    if samples.shape[2] == 3:
        return samples, False
    colours, alpha = samples[..., :3].copy(), samples[..., 3]
    if alpha.min() == _OPAQUE:
        return colours, False
    weight = alpha.astype(np.uint32)
    for channel in range(3):
        colours[..., channel] = (colours[..., channel] * weight + _OPAQUE // 2) // _OPAQUE
    return colours, True


def only_grey(
    samples: UInt16[np.ndarray, "rows cols 3"],
) -> UInt16[np.ndarray, "rows cols"] | None:
    """One of the channels, when all three are the same."""
    first = samples[..., 0]
    same = all(np.array_equal(first, samples[..., channel]) for channel in (1, 2))
    return np.ascontiguousarray(first) if same else None


def eight_bit_colours(
    samples: UInt16[np.ndarray, "rows cols 3"],
) -> UInt8[np.ndarray, "rows cols 3"]:
    """All channels stretched by one window, from the smallest to the largest value in them."""
    window = spanning_window("Whole range", float(samples.min()), float(samples.max()))
    channels = [
        apply_window(samples[..., channel].astype(np.float32), window) for channel in range(3)
    ]
    return np.stack(channels, axis=2)
