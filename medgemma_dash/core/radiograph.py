"""A radiograph as the rest of the program sees it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

PatientRight = Literal["left", "right", "unknown"]
PatientHead = Literal["top", "bottom"]

# Among the names of windows, this one is the reader's; no window of a file has it.
OWN_WINDOW = "Own"


class Laterality(str):
    """The image side on which the patient's right lies: "left", "right" or "unknown".

    It compares as that word; `source` says in words where the knowledge came from. `head` is the
    image's edge towards the patient's head; with an unknown side it means nothing.
    """

    source: str
    head: PatientHead

    def __new__(
        cls, patient_right: PatientRight, source: str, head: PatientHead = "top"
    ) -> "Laterality":
        if patient_right not in ("left", "right", "unknown"):
            raise ValueError(f'"left", "right" or "unknown", not {patient_right!r}.')
        if head not in ("top", "bottom"):
            raise ValueError(f'"top" or "bottom", not {head!r}.')
        side = super().__new__(cls, patient_right)
        side.source = source
        side.head = head
        return side


@dataclass(frozen=True)
class Window:
    """A display window in the units of `Radiograph.intensities`.

    exact: black at centre - width / 2 and white at centre + width / 2 (LINEAR_EXACT of DICOM
        PS3.3 C.11.2.1.3.2), for any positive width. Else the standard's LINEAR function, made
        for whole numbers: at least 1 wide, its centre half a unit further up.
    """

    name: str
    centre: float
    width: float
    exact: bool = False


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One frontal chest radiograph as stored, bright where the body is dense.

    pixels: uint8 (H, W, 3), what the model sees: the file's first window, or the picture.
    sha256: of the file's bytes (of the pixels when it was given as a picture in memory); made from
        that for the negative of a file's picture.
    spacing_mm: (row, column) distance between pixel centres in millimetres, if the file says.
    laterality: which image side is the patient's right, where the head is, how that is known.
    intensities: float32 (H, W), for window/level: modality units, MONOCHROME1 inverted.
    windows: the file's own presets, or one that spans the intensities; the first made `pixels`.
    tags: an allow-list of acquisition facts as (name, value) pairs; never patient data.
    warnings: what the reader noticed, in sentences for the user.
    wider: the name of a window that shows much more than the first, which leaves the picture
        nearly black, white or flat; "" where the first one serves.
    """

    pixels: npt.NDArray[np.uint8]
    sha256: str
    spacing_mm: tuple[float, float] | None
    laterality: Laterality
    intensities: npt.NDArray[np.float32]
    windows: tuple[Window, ...]
    tags: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    wider: str = ""

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
