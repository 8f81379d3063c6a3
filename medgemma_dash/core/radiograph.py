"""A radiograph as the rest of the program sees it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

PatientRight = Literal["left", "right", "unknown"]


class Laterality(str):
    """The image side on which the patient's right lies: "left", "right" or "unknown".

    It compares as that word; `source` says in words where the knowledge came from.
    """

    source: str

    def __new__(cls, patient_right: PatientRight, source: str) -> "Laterality":
        if patient_right not in ("left", "right", "unknown"):
            raise ValueError(f'"left", "right" or "unknown", not {patient_right!r}.')
        side = super().__new__(cls, patient_right)
        side.source = source
        return side


@dataclass(frozen=True)
class Window:
    """A display window in the units of `Radiograph.intensities`."""

    name: str
    centre: float
    width: float


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One frontal chest radiograph, upright, bright where the body is dense.

    pixels: uint8 (H, W, 3), what the model sees: the file's first window, or the picture.
    sha256: of the file's bytes (of the pixels when it was given as a picture in memory).
    spacing_mm: (row, column) distance between pixel centres in millimetres, if the file says.
    laterality: which image side is the patient's right, and how that is known.
    intensities: float32 (H, W), for window/level: modality units, MONOCHROME1 inverted.
    windows: the file's own presets, or one that spans the intensities; the first made `pixels`.
    tags: an allow-list of acquisition facts as (name, value) pairs; never patient data.
    warnings: what the reader noticed, in sentences for the user.
    """

    pixels: npt.NDArray[np.uint8]
    sha256: str
    spacing_mm: tuple[float, float] | None
    laterality: Laterality
    intensities: npt.NDArray[np.float32]
    windows: tuple[Window, ...]
    tags: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise ValueError(
                f"Pixels are uint8 (H, W, 3), not {self.pixels.dtype} of shape {self.pixels.shape}."
            )
        if self.intensities.shape != self.pixels.shape[:2]:
            raise ValueError("Intensities and pixels differ in size.")
        if not self.windows:
            raise ValueError("A radiograph has at least one window.")
        self.pixels.flags.writeable = False
        self.intensities.flags.writeable = False

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])
