"""Small changes to a picture that should not change what is seen in it.

The changes and their sizes are those of the MedGemma Visualizer documentation; each is a function
of the pixels, an amount and a seed alone.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from medgemma_dash.core.errors import ImageError, quoted
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.imaging.window import EIGHT_BIT

RANDOM_PIXELS = 5

_Change = Callable[[Float[np.ndarray, "rows cols 3"], float, int], Float[np.ndarray, "rows cols 3"]]


@dataclass(frozen=True)
class PerturbationKind:
    """A change of one kind. amount: its size where none is given; unit: of what.

    least, most: amounts that it may have; neutral: the one that changes nothing, if there is one.
    """

    amount: float
    unit: str
    least: float
    most: float
    neutral: float
    change: _Change


@dataclass(frozen=True)
class Perturbation:
    """A change of a kind and size: "noise 2"."""

    kind: str
    amount: float

    @property
    def name(self) -> str:
        """As it is written in a plan and a table, and read back by `read_perturbation`."""
        return f"{self.kind} {self.amount:g}"


def read_perturbation(text: str) -> Perturbation:
    """The change that a text names: "noise", "noise 2" or "noise=2".

    Raises ImageError for an unknown kind and an amount that it cannot have.
    """
    kind, _, amount = text.strip().lower().replace("=", " ").partition(" ")
    if kind not in KINDS:
        raise ImageError(
            f"There is no change of the image called {quoted(text)}. Allowed: {', '.join(KINDS)}, "
            "each with an amount of your own behind it, such as brightness=0.9."
        )
    known = KINDS[kind]
    try:
        given = float(amount) if amount.strip() else known.amount
    except ValueError:
        given = math.nan
    if not known.least <= given <= known.most or given == known.neutral:
        raise ImageError(
            f"{kind} cannot be {quoted(amount.strip())}. Allowed: {known.least:g} to "
            f"{known.most:g} ({known.unit}), and not {known.neutral:g}, which changes nothing."
        )
    return Perturbation(kind, given)


def perturbed(radiograph: Radiograph, perturbation: Perturbation, seed: int = 0) -> Radiograph:
    """The radiograph with changed pixels, which has a digest of its own.

    Raises ImageError where nothing is left to see: every pixel the same.
    """
    kind = KINDS[perturbation.kind]
    changed = kind.change(radiograph.pixels.astype(np.float64), perturbation.amount, seed)
    pixels = np.rint(changed.clip(0, 255)).astype(np.uint8)
    if (pixels == pixels[0, 0]).all():
        raise ImageError(
            f"{perturbation.name} empties the image: every pixel becomes the same. Choose a "
            "smaller change."
        )
    name = f"{radiograph.sha256} {perturbation.name} {seed}"
    return replace(
        radiograph,
        pixels=pixels,
        sha256=sha256(name.encode()).hexdigest(),
        intensities=pixels.mean(2).astype(np.float32),
        windows=(EIGHT_BIT,),
        wider="",
    )


def noise(
    pixels: Float[np.ndarray, "rows cols 3"], sigma: float, seed: int
) -> Float[np.ndarray, "rows cols 3"]:
    """Gaussian noise of `sigma` grey levels, the same in all colours."""
    drawn = np.random.default_rng(seed).normal(0, sigma, pixels.shape[:2])
    noisy: Float[np.ndarray, "rows cols 3"] = pixels + drawn[..., None]
    return noisy


def contrast(
    pixels: Float[np.ndarray, "rows cols 3"], factor: float, _seed: int
) -> Float[np.ndarray, "rows cols 3"]:
    """Differences from the picture's mean grey, times the factor."""
    mean = float(pixels.mean())
    stretched: Float[np.ndarray, "rows cols 3"] = mean + (pixels - mean) * factor
    return stretched


def brightness(
    pixels: Float[np.ndarray, "rows cols 3"], factor: float, _seed: int
) -> Float[np.ndarray, "rows cols 3"]:
    """Grey levels times the factor."""
    return pixels * factor


def blur(
    pixels: Float[np.ndarray, "rows cols 3"], sigma: float, _seed: int
) -> Float[np.ndarray, "rows cols 3"]:
    """A Gaussian blur of `sigma` pixels; the edge is mirrored."""
    from scipy.ndimage import gaussian_filter

    blurred: Float[np.ndarray, "rows cols 3"] = gaussian_filter(pixels, (sigma, sigma, 0))
    return blurred


def rotation(
    pixels: Float[np.ndarray, "rows cols 3"], degrees: float, _seed: int
) -> Float[np.ndarray, "rows cols 3"]:
    """Turned counterclockwise about its centre, between pixels linearly.

    The edge is drawn out over what comes in, since black corners would be a change of their own.
    """
    from scipy.ndimage import rotate

    turned: Float[np.ndarray, "rows cols 3"] = rotate(
        pixels, degrees, axes=(1, 0), reshape=False, order=1, mode="nearest"
    )
    return turned


def random_pixels(
    pixels: Float[np.ndarray, "rows cols 3"], epsilon: float, seed: int
) -> Float[np.ndarray, "rows cols 3"]:
    """Five different pixels, drawn at random, made lighter or darker by that share of the range."""
    generator = np.random.default_rng(seed)
    rows, cols = pixels.shape[:2]
    places = generator.choice(rows * cols, size=min(RANDOM_PIXELS, rows * cols), replace=False)
    signs = generator.choice((-1.0, 1.0), size=len(places))
    changed = pixels.reshape(-1, 3).copy()
    changed[places] += (signs * epsilon * 255)[:, None]
    return changed.reshape(pixels.shape)


KINDS: Mapping[str, PerturbationKind] = MappingProxyType(
    {
        "noise": PerturbationKind(2.0, "sigma in grey levels of 255", 0.0, 255.0, 0.0, noise),
        "contrast": PerturbationKind(1.2, "factor", 0.0, 10.0, 1.0, contrast),
        "brightness": PerturbationKind(1.1, "factor", 0.0, 10.0, 1.0, brightness),
        "blur": PerturbationKind(1.0, "sigma in pixels", 0.0, 200.0, 0.0, blur),
        "rotation": PerturbationKind(5.0, "degrees counterclockwise", -180.0, 180.0, 0.0, rotation),
        "pixels": PerturbationKind(0.1, "share of the grey range", 0.0, 1.0, 0.0, random_pixels),
    }
)
STANDARD = tuple(
    read_perturbation(name)
    for name in (
        "noise 2", "contrast 1.2", "brightness 1.1", "brightness 0.9", "blur 1", "rotation 5",
        "pixels 0.1",
    )
)  # fmt: skip
