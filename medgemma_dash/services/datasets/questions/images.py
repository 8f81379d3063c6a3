"""Which file a row is about: by its path, or by its ids in the layouts of MIMIC-CXR."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

ENDINGS = (".jpg", ".jpeg", ".png", ".dcm")
_SAFE_NAME = re.compile(r"\w[\w.-]{0,127}")
_NO_IMAGE = "The row says no image: neither a path nor the ids of one."


class ImageNotFoundError(Exception):
    """Why there is no image for a row; holds no name and no id."""


@dataclass
class ImagePlaces:
    """The files of a folder, found without opening one; each place is looked at once."""

    folder: Path
    _found: dict[tuple[str, ...], Path | None] = field(default_factory=dict)

    def find(self, row: Mapping[str, str]) -> str:
        """The image's path below the folder, with "/" between its parts.

        By `image_path`, else by `dicom_id`, `study_id` and `subject_id`. Raises
        ImageNotFoundError.
        """
        path = row.get("image_path", "")
        dicom, study, subject = (
            _bare(row.get(name, ""), letter)
            for name, letter in (("dicom_id", ""), ("study_id", "s"), ("subject_id", "p"))
        )
        if not (path or dicom or (study and subject)):
            raise ImageNotFoundError(_NO_IMAGE)
        found = self._by_path(path) if path else None
        if found is None and (dicom or study):
            found = self._by_ids(dicom, study, subject)
        if found is None:
            raise ImageNotFoundError("There is no such image in the folder.")
        return found.relative_to(self.folder).as_posix()

    def _by_path(self, typed: str) -> Path | None:
        parts = PurePosixPath(typed.replace("\\", "/")).parts
        if ".." in parts:
            raise ImageNotFoundError("The image's path leads out of the folder.")
        absolute = bool(parts) and (parts[0] == "/" or parts[0].endswith(":"))
        tails = [] if absolute else [parts]
        # As it stands where the table was made, from the folder's own name on, or from `files`.
        for anchor in (self._own_name, "files"):
            if anchor in parts:
                last = len(parts) - 1 - parts[::-1].index(anchor)
                tails += [parts[last + 1 :], parts[last:]]
        return self._first(*tails)

    def _by_ids(self, dicom: str, study: str, subject: str) -> Path | None:
        if not all(_SAFE_NAME.fullmatch(name) for name in (dicom, study, subject) if name):
            raise ImageNotFoundError("An id of the row is none: it holds other signs than an id's.")
        tops = ("files", "")
        if study and subject:
            place = (f"p{subject[:2]}", f"p{subject}", f"s{study}")
            if dicom:
                found = self._first(
                    *((top, *place, dicom + end) for top in tops for end in ("", *ENDINGS))
                )
                if found is not None:
                    return found
            else:
                return self._only_one([self.folder.joinpath(top, *place) for top in tops])
        return self._first(*((dicom + end,) for end in ("", *ENDINGS))) if dicom else None

    def _only_one(self, folders: list[Path]) -> Path | None:
        for folder in folders:
            if folder.is_dir():
                files = sorted(one for one in folder.iterdir() if one.suffix.lower() in ENDINGS)
                if len(files) > 1:
                    raise ImageNotFoundError(
                        f"The study has {len(files)} images. Say by `dicom_id` which is meant."
                    )
                return files[0] if files else None
        return None

    def _first(self, *places: tuple[str, ...]) -> Path | None:
        for place in places:
            if place not in self._found:
                path = self.folder.joinpath(*place)
                self._found[place] = path if _is_file(path) else None
            if self._found[place] is not None:
                return self._found[place]
        return None

    @cached_property
    def _own_name(self) -> str:
        return self.folder.absolute().name


def _bare(written: str, letter: str) -> str:
    """An id without the letter of its folder, and without the .0 that spreadsheets add."""
    bare = re.sub(r"(?<=\d)\.0$", "", written)
    return bare[1:] if letter and bare[:1].lower() == letter and bare[1:].isdigit() else bare


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
