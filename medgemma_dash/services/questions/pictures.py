"""The radiographs of a run, a few of them in memory at a time."""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.progress import Check
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.imaging.limits import MAX_FILE_BYTES
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.prompting import preprocessed

MOST_OPEN = 8


class Pictures(Protocol):
    """Radiographs by what a row calls its image."""

    def open(self, name: str, check: Check | None = None) -> Radiograph:
        """Raises ImageError, without the name in it: it may hold a patient's id."""


class FolderPictures:
    """Files below a folder. The last few stay open, for rows about one image stand together."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[str, Radiograph] = OrderedDict()

    def open(self, name: str, check: Check | None = None) -> Radiograph:
        """See `Pictures.open`."""
        if name in self._open:
            self._open.move_to_end(name)
            return self._open[name]
        try:
            with (self._folder / name).open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise ImageError(f"The image cannot be read: {error.strerror or error}.") from None
        found = load_radiograph(data, check=check)
        self._open[name] = found
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        return found


class GivenPictures:
    """Radiographs by their sha256."""

    def __init__(self, given: Mapping[str, Radiograph]) -> None:
        self._given = given

    def open(self, name: str, check: Check | None = None) -> Radiograph:
        """See `Pictures.open`."""
        return self._given[name]


def soft_tokens(
    model: VisionLanguageModel, radiograph: Radiograph
) -> Float[Tensor, "soft_tokens hidden"]:
    """Its soft tokens, kept with the model; the caller holds the model's lock."""
    return model.keep_of_image(
        radiograph.sha256, lambda: model.encode_pixels(preprocessed(model, radiograph))
    )
