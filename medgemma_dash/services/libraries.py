"""Whether Python and the libraries are of versions that fit; imports none of them."""

import platform
import re
import sys
from dataclasses import dataclass
from typing import Literal

from medgemma_dash.core.dependencies import Dependency, remedy
from medgemma_dash.core.resources import resource

Status = Literal["ok", "warn", "fail"]

REQUIREMENTS = resource("requirements.txt")
TESTED_PYTHON = (3, 11)
NAMED = ("torch", "transformers", "streamlit", "numpy")  # the others share a line


@dataclass(frozen=True)
class Diagnosis:
    """One fact about the machine; `remedy` is empty where nothing needs doing."""

    name: str
    status: Status
    text: str
    remedy: str = ""


def examine_python() -> Diagnosis:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info[:2] != TESTED_PYTHON:
        remedy = (
            "Should anything fail, use Python 3.11; in a checkout `make run PYTHON=python3.11`."
        )
        return Diagnosis("Python", "warn", f"{text}; tested with 3.11", remedy)
    return Diagnosis("Python", "ok", text)


def tested_version(name: str) -> str | None:
    """Return the version that requirements.txt pins, None where it pins none."""
    if not REQUIREMENTS.is_file():
        return None
    found = re.search(rf"^{name}==(\S+)", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else None


def examine_libraries(found: tuple[Dependency, ...]) -> tuple[Diagnosis, ...]:
    """A line for each of the four that matter most and for what does not fit, one for the rest."""
    own = [one for one in found if one.name in NAMED or not one.fits]
    rest = len(found) - len(own)
    if not rest:
        return tuple(map(_library, own))
    others = Diagnosis("Other libraries", "ok", f"{rest}, each of a version that fits")
    return (*map(_library, own), others)


def _library(library: Dependency) -> Diagnosis:
    if not library.fits:
        status: Status = "fail" if library.installed is None else "warn"
        return Diagnosis(library.name, status, library.complaint, f"Run `{remedy((library,))}`.")
    tested = tested_version(library.name)
    installed = str(library.installed)
    # A build's label (+cpu, +cu128) is no other version.
    if tested in (None, installed.split("+")[0]):
        return Diagnosis(library.name, "ok", installed)
    return Diagnosis(library.name, "ok", f"{installed} fits; tested with {tested}")
