"""Every colour of the figures, in both themes, and how relevance becomes colour.

Relevance reaches the picture by one rule, used by the Plotly map and by the exported picture
alike: a value is divided by the map's largest magnitude, the fraction picks a colour from a
perceptually uniform scale, and a ramp decides how much of that colour covers the radiograph,
so that what the model did not lean on stays plainly visible.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, UInt8
from plotly.colors import get_colorscale, sample_colorscale

# Perceptually uniform and readable without colour vision; no jet.
MAGNITUDE_SCALES: tuple[str, ...] = ("Inferno", "Cividis", "Viridis", "Magma")
SIGNED_SCALE = "RdBu"

# Below this fraction of the peak the colour fades out, reaching nothing at zero.
FADE_BELOW = 0.5
SCALE_STOPS = 64

Stops = list[list[float | str]]


@dataclass(frozen=True)
class Palette:
    """Colours of one theme as #rrggbb. Text colours reach 4.5:1 on background and panel."""

    background: str
    panel: str
    text: str
    muted: str
    line: str
    accent: str
    on_accent: str
    bar: str


DARK = Palette(
    background="#0e1117",
    panel="#161b22",
    text="#e6edf3",
    muted="#9aa4b2",
    line="#30363d",
    accent="#f2a33a",
    on_accent="#0e1117",
    bar="#3d6e99",
)
LIGHT = Palette(
    background="#ffffff",
    panel="#f4f5f7",
    text="#1b1f24",
    muted="#5f6b7a",
    line="#d5d9df",
    accent="#a85b00",
    on_accent="#ffffff",
    bar="#5b8db8",
)


def palette(dark: bool) -> Palette:
    """The colours of the dark or the light theme."""
    return DARK if dark else LIGHT


def checked_scale(name: str, signed: bool) -> str:
    """The scale to use: signed maps are always red for, blue against; else one of ours.

    Raises ValueError that lists the allowed names.
    """
    if signed:
        return SIGNED_SCALE
    if name not in MAGNITUDE_SCALES:
        raise ValueError(f"Colour scale {name!r}; allowed: {', '.join(MAGNITUDE_SCALES)}.")
    return name


@lru_cache(maxsize=32)
def scale_colours(name: str, count: int) -> UInt8[np.ndarray, "count 3"]:
    """`count` colours evenly along a Plotly scale, low to high, read-only.

    RdBu is turned round, so that red stands for evidence in favour (positive).
    """
    samples = sample_colorscale(
        get_colorscale(name), np.linspace(0, 1, count).tolist(), colortype="tuple"
    )
    colours: UInt8[np.ndarray, "count 3"] = np.rint(np.asarray(samples) * 255).astype(np.uint8)
    if name == SIGNED_SCALE:
        colours = colours[::-1].copy()
    colours.flags.writeable = False
    return colours


def colour_range(
    image_map: Float[np.ndarray, "rows cols"],
    signed: bool,
    beside: Sequence[Float[np.ndarray, "_ _"]] = (),
) -> tuple[float, float]:
    """The raw values at both ends of the scale: symmetric about 0 when signed, else from 0.

    beside: further maps of the same unit that are coloured by the same scale, such as those of the
    other images of an explanation. Maps with nothing to show get the range of a peak of 1.
    Raises ValueError when a value is not finite.
    """
    maps = (image_map, *beside)
    if not all(np.isfinite(one).all() for one in maps):
        raise ValueError("A relevance map holds finite values only.")
    peak = max(float(np.abs(one).max() if signed else one.max()) for one in maps)
    peak = peak if peak > 0 else 1.0
    return (-peak if signed else 0.0), peak


def coverage(
    fraction: Float[np.ndarray, "*shape"], threshold: float
) -> Float[np.ndarray, "*shape"]:
    """How much of the radiograph the colour covers, 0 to 1, at a fraction of the peak.

    Nothing below the threshold; above it a smooth ramp that is full from FADE_BELOW on.
    """
    ramp = np.clip(fraction / FADE_BELOW, 0.0, 1.0)
    smooth = ramp * ramp * (3.0 - 2.0 * ramp)
    return np.where(fraction < threshold, 0.0, smooth)


def overlay_stops(name: str, signed: bool, threshold: float) -> Stops:
    """A Plotly colour scale whose alpha follows `coverage`; `threshold` is a share of the peak."""
    places = np.linspace(0.0, 1.0, SCALE_STOPS + 1)
    if threshold > 0:
        # Two stops right at the threshold make its edge sharp.
        edges = (0.5 + threshold / 2, 0.5 - threshold / 2) if signed else (threshold,)
        near = [edge + nudge for edge in edges for nudge in (-1e-6, 1e-6)]
        places = np.unique(np.concatenate([places, np.clip(near, 0.0, 1.0)]))
    colours = scale_colours(name, 256)[np.rint(places * 255).astype(int)]
    fraction = np.abs(2 * places - 1) if signed else places
    alphas = coverage(fraction, threshold)
    return [
        [float(place), f"rgba({red},{green},{blue},{alpha:.3f})"]
        for place, (red, green, blue), alpha in zip(places, colours, alphas, strict=True)
    ]


def solid_stops(name: str) -> Stops:
    """The same scale without transparency, for the colour bar."""
    colours = scale_colours(name, 17)
    return [
        [place / 16, f"rgb({red},{green},{blue})"]
        for place, (red, green, blue) in enumerate(colours)
    ]


# Okabe and Ito's colours, told apart without colour vision; black gives way to the theme's text.
_SERIES = ("#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#F0E442")


# What fills a bar when the colours come again; "" is plain.
_PATTERNS = ("", "/", "x", "-", ".")


def series_looks(count: int, dark: bool) -> list[tuple[str, str]]:
    """(colour, Plotly's pattern) for each of several series, in a fixed order.

    The colours come again after eight, each time with another pattern: 40 looks are distinct.
    """
    colours = (*_SERIES, palette(dark).text)
    return [
        (colours[place % len(colours)], _PATTERNS[place // len(colours) % len(_PATTERNS)])
        for place in range(count)
    ]
