"""The pictures of a folder, found by the names that annotations call them by."""

import os
import stat
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path, PurePosixPath

from PIL import Image

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging.limits import check_picture_size
from medgemma_dash.services.datasets.annotations.findings import UnusableError

ENDINGS = (".png", ".jpg", ".jpeg")
MOST_FILES = 500_000
DEEPEST_NAME = 3  # folders and file: patient1/study1/view1_frontal.jpg is patient1_study1_view1_...
_EXIF_ORIENTATION, _UPRIGHT = 0x0112, 1


@dataclass
class ImageFolder:
    """PNG and JPEG files below a folder; links to folders are not followed.

    A picture is called by its file name, with or without its ending, or by its last folders and
    its name joined with "_", as CheXpert's are.
    """

    _by_name: dict[str, Path | None] = field(default_factory=dict)
    _sizes: dict[Path, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def listing(cls, folder: Path, without: Path) -> "ImageFolder":
        """Read the names in a folder, `without` one below it; no picture is opened yet."""
        found = cls()
        for path in files_below(folder, ENDINGS):
            if without.absolute() in path.absolute().parents:
                continue
            parts = path.relative_to(folder).with_suffix("").parts
            names = {"_".join(parts[-depth:]) for depth in range(1, DEEPEST_NAME + 1)}
            for name in names | {path.name}:
                # A name of two pictures is the name of neither.
                found._by_name[name] = None if name in found._by_name else path
        return found

    def __len__(self) -> int:
        """Number of names; 0 when there is no picture."""
        return len(self._by_name)

    def find(self, name: object) -> tuple[Path, tuple[int, int]]:
        """Path and size (height, width) of a picture; raises UnusableError."""
        if not isinstance(name, str) or not name:
            raise UnusableError("The picture has no name.")
        last = PurePosixPath(name.replace("\\", "/"))
        for known in (last.name, last.stem if last.suffix.lower() in ENDINGS else last.name):
            if known in self._by_name:
                path = self._by_name[known]
                if path is None:
                    raise UnusableError("Several pictures in the folder have this name.")
                return path, self._size(path)
        raise UnusableError("There is no such picture in the folder.")

    def _size(self, path: Path) -> tuple[int, int]:
        if path not in self._sizes:
            self._sizes[path] = picture_size(path)
        return self._sizes[path]


def picture_size(path: Path) -> tuple[int, int]:
    """(height, width) of a PNG or JPEG, by its header alone; raises UnusableError."""
    try:
        with open_regular(path) as file, Image.open(file, formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
            upright = picture.getexif().get(_EXIF_ORIENTATION, _UPRIGHT) == _UPRIGHT
        check_picture_size(height, width)
    except ImageError as error:
        raise UnusableError(str(error)) from None
    except Exception:  # Pillow's decoders raise many kinds, and quote the file when they do
        raise UnusableError("The picture cannot be read.") from None
    if not upright:
        raise UnusableError("The picture is turned by its EXIF tag. Save it upright.")
    return height, width


def files_below(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Sorted files with these endings, up to the limit; links to folders are not followed."""
    found: list[Path] = []
    for where, folders, names in os.walk(folder):
        folders.sort()
        found += [Path(where, name) for name in sorted(names) if name.lower().endswith(endings)]
        if len(found) >= MOST_FILES:
            return found[:MOST_FILES]
    return found


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading bytes; refuses what is no plain file, such as a pipe."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("not a plain file")
    return path.open("rb")
