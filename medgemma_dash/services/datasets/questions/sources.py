"""Where the images of a table of questions are: in a folder, in the program, or given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Protocol

from medgemma_dash.core.errors import ImageError, TableError
from medgemma_dash.demo.question_set import example_image, example_names
from medgemma_dash.imaging.limits import MAX_FILE_BYTES
from medgemma_dash.services.datasets.questions.images import (
    ENDINGS,
    ImageNotFoundError,
    ImagePlaces,
)

_NOT_GIVEN = "There is no such image among those that were given."


class ImageSource(Protocol):
    """The images of a table, by what its rows say.

    key: equal for the same images, another for others.
    """

    @property
    def key(self) -> str: ...

    def find(self, row: Mapping[str, str]) -> str:
        """What names a row's image here; raises ImageNotFoundError. No image is opened."""

    def read(self, name: str) -> bytes:
        """A file's bytes; raises ImageError, without the name in it."""


@dataclass
class FolderImages:
    """Files below a folder; raises TableError where there is none."""

    folder: Path
    _places: ImagePlaces = field(init=False)

    def __post_init__(self) -> None:
        try:
            there = self.folder.is_dir()
        except (OSError, ValueError):  # a name that no folder can have
            there = False
        if not there:
            raise TableError(f"There is no folder {str(self.folder)!r} for the images.")
        self._places = ImagePlaces(self.folder)

    @property
    def key(self) -> str:
        return f"folder {self.folder.resolve()}"

    def find(self, row: Mapping[str, str]) -> str:
        """See `ImageSource.find`."""
        return self._places.find(row)

    def read(self, name: str) -> bytes:
        """See `ImageSource.read`."""
        try:
            with (self.folder / name).open("rb") as file:
                return file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise ImageError(f"The image cannot be read: {error.strerror or error}.") from None


class ExampleImages:
    """The films of the example set, drawn when they are read."""

    key = "example"

    def find(self, row: Mapping[str, str]) -> str:
        """See `ImageSource.find`."""
        name = row.get("image_path", "").removesuffix(".png")
        if name not in example_names():
            raise ImageNotFoundError("The example set has no such image.")
        return name

    def read(self, name: str) -> bytes:
        """See `ImageSource.read`."""
        return example_image(name)


@dataclass(frozen=True, repr=False)
class GivenImages:
    """Files that were handed over, found by the last part of a row's path, or by its dicom_id."""

    files: Mapping[str, bytes]

    @cached_property
    def key(self) -> str:
        digest = sha256()
        for name, data in sorted(self.files.items()):
            digest.update(name.encode() + sha256(data).digest())
        return f"given {digest.hexdigest()}"

    def find(self, row: Mapping[str, str]) -> str:
        """See `ImageSource.find`."""
        path, dicom = row.get("image_path", ""), row.get("dicom_id", "")
        if not (path or dicom):
            raise ImageNotFoundError("The row says no image: neither a path nor a dicom_id.")
        last = PurePosixPath(path.replace("\\", "/")).name
        for name in (last, *(dicom + end for end in ("", *ENDINGS) if dicom)):
            if name in self.files:
                return name
        raise ImageNotFoundError(_NOT_GIVEN)

    def read(self, name: str) -> bytes:
        """See `ImageSource.read`."""
        return self.files[name]
