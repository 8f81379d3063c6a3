"""The radiographs of a run, a few of them in memory at a time."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Protocol

from medgemma_dash.core.progress import Check
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.imaging import load_radiograph

MOST_OPEN = 8


class Pictures(Protocol):
    """Radiographs by what a row calls its image."""

    def open(self, name: str, check: Check | None = None) -> Radiograph:
        """Raises ImageError, without the name in it: it may hold a patient's id."""


class ReadPictures:
    """Radiographs of files. The last few stay open, for rows about one image stand together.

    read: gives a file's bytes; raises ImageError.
    """

    def __init__(self, read: Callable[[str], bytes]) -> None:
        self._read = read
        self._open: OrderedDict[str, Radiograph] = OrderedDict()

    def open(self, name: str, check: Check | None = None) -> Radiograph:
        """See `Pictures.open`."""
        if name in self._open:
            self._open.move_to_end(name)
            return self._open[name]
        found = load_radiograph(self._read(name), check=check)
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
