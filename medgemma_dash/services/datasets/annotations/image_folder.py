"""The pictures of a folder, found by the names that annotations call them by."""

import os
import stat
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from PIL import Image

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging.limits import check_picture_size
from medgemma_dash.services.datasets.annotations.findings import UnusableError

ENDINGS = (".png", ".jpg", ".jpeg")
NAME_ENDINGS = (*ENDINGS, ".dcm", ".dicom")  # a picture may be called as the DICOM file was
MOST_FILES = 500_000
DEEPEST_NAME = 3  # folders and file: patient1/study1/view1_frontal.jpg is patient1_study1_view1_...
_HERE = ("", ".", "..")
_EXIF_ORIENTATION, _UPRIGHT = 0x0112, 1


@dataclass
class ImageFolder:
    """PNG and JPEG files below a folder; links to folders are not followed.

    A picture is called by its file name, with its ending, without it or with that of the DICOM file
    it was made from; by a path, of which the folder may know more or fewer parts; or by its last
    folders and its name joined with "_", as CheXpert's are. Letter case counts only where it must.
    """

    _folders: dict[Path, tuple[str, ...]] = field(default_factory=dict)
    _by_name: dict[str, list[Path]] = field(default_factory=dict)
    _by_folded_name: dict[str, list[Path]] = field(default_factory=dict)
    _sizes: dict[Path, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def listing(cls, folder: Path, without: Path) -> "ImageFolder":
        """Read the names in a folder, `without` one below it; no picture is opened yet."""
        found = cls()
        for path in files_below(folder, ENDINGS):
            if without.absolute() not in path.absolute().parents:
                found._add(path, path.relative_to(folder).parts)
        return found

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._folders)

    def find(self, name: object) -> tuple[Path, tuple[int, int]]:
        """Path and size (height, width) of a picture; raises UnusableError."""
        if not isinstance(name, str) or not name.strip():
            raise UnusableError("The picture has no name.")
        parts = [part for part in name.strip().replace("\\", "/").split("/") if part not in _HERE]
        if not parts:
            raise UnusableError("The picture has no name.")
        *folders, last = parts
        alike = self._alike(last)
        # Where both sides name folders, these agree: another patient's view1_frontal is not it.
        fitting = [path for path in alike if _agree(self._folders[path], folders)]
        if not fitting:
            if alike:
                raise UnusableError(
                    "The only pictures of this name lie in other folders than its path says."
                )
            raise UnusableError("There is no such picture in the folder.")
        tails = [min(len(self._folders[path]), len(folders)) for path in fitting]
        longest = [path for path, tail in zip(fitting, tails, strict=True) if tail == max(tails)]
        if len(longest) > 1 and folders:
            longest = [path for path in longest if len(self._folders[path]) == len(folders)]
        if len(longest) != 1:
            raise UnusableError(
                "Several pictures in the folder have this name. Write their folders before it."
            )
        return longest[0], self._size(longest[0])

    def _alike(self, last: str) -> list[Path]:
        """Pictures whose name is the last part of a path, most exactly first."""
        bare = _without_ending(last)
        exact = self._by_name.get(last) or self._by_name.get(bare)
        folded = self._by_folded_name
        return exact or folded.get(last.casefold()) or folded.get(bare.casefold()) or []

    def _add(self, path: Path, parts: tuple[str, ...]) -> None:
        self._folders[path] = parts[:-1]
        bare = (*parts[:-1], _without_ending(parts[-1]))
        names = {"_".join(bare[-depth:]) for depth in range(1, DEEPEST_NAME + 1)} | {path.name}
        for name in names:
            self._by_name.setdefault(name, []).append(path)
        for name in {name.casefold() for name in names}:
            self._by_folded_name.setdefault(name, []).append(path)

    def _size(self, path: Path) -> tuple[int, int]:
        if path not in self._sizes:
            self._sizes[path] = picture_size(path)
        return self._sizes[path]


def _agree(known: tuple[str, ...], said: list[str]) -> bool:
    """Whether two lists of folders are the same from the end on, as far as both go."""
    pairs = zip(reversed(known), reversed(said), strict=False)
    return all(one.casefold() == other.casefold() for one, other in pairs)


def _without_ending(name: str) -> str:
    bare, dot, _ = name.rpartition(".")
    return bare if dot and name.lower().endswith(NAME_ENDINGS) else name


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
