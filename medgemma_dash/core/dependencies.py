"""The libraries that the program needs, and what is said where they are not as it needs them."""

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from medgemma_dash.core.errors import DependencyError, MedGemmaDashError
from medgemma_dash.core.resources import resource

DISTRIBUTION = "medgemma-dash"


@dataclass(frozen=True)
class Dependency:
    """A library: what is allowed, such as ">=2.13,<3", and what is installed, None if nothing."""

    name: str
    allowed: str
    installed: str | None

    @property
    def fits(self) -> bool:
        """Whether it is there in a version that is allowed; a build's label (+cpu) is ignored."""
        from packaging.specifiers import SpecifierSet

        return self.installed is not None and SpecifierSet(self.allowed).contains(
            self.installed, prereleases=True
        )

    @property
    def complaint(self) -> str:
        """What is wrong with it where it does not fit, as the middle of a sentence."""
        if self.installed is None:
            return f"{self.name} is not installed"
        return f"{self.name} is {self.installed}, not {self.allowed}"


def dependencies() -> tuple[Dependency, ...]:
    """Everything that the program itself needs; what an extra needs is left out."""
    return tuple(_found(line) for line in _requirements() if "extra ==" not in line)


def unmet() -> tuple[Dependency, ...]:
    """The libraries that are missing, or of a version outside their range."""
    return tuple(one for one in dependencies() if not one.fits)


def remedy(wrong: tuple[Dependency, ...]) -> str:
    """The command that installs what fits."""
    return "pip install " + " ".join(f'"{one.name}{one.allowed}"' for one in wrong)


@contextmanager
def blaming_dependencies() -> Iterator[None]:
    """Name the libraries that do not fit where something unexpected fails beside them.

    Raises DependencyError in place of the failure if there are such libraries; an error of the
    program's own, and any failure when all libraries fit, passes as it is.
    """
    try:
        yield
    except MedGemmaDashError:
        raise
    except Exception as error:
        wrong = unmet()
        if not wrong:
            raise
        raise dependency_error(wrong, type(error).__name__) from error


def dependency_error(wrong: tuple[Dependency, ...], failure: str = "") -> DependencyError:
    """What is wrong and how to mend it; failure: the name of the error that it failed with."""
    ended = f" What ran failed with {failure}." if failure else ""
    complaints = "; ".join(one.complaint for one in wrong)
    return DependencyError(
        f"The libraries beside MedGemma Dash do not fit: {complaints}.{ended} "
        f"Install what fits: {remedy(wrong)}"
    )


def _requirements() -> list[str]:
    """The lines of pyproject.toml in a checkout, and of the wheel's metadata elsewhere."""
    checkout = resource("pyproject.toml")
    if checkout.is_file():
        lines: list[str] = tomllib.loads(checkout.read_text(encoding="utf-8"))["project"][
            "dependencies"
        ]
        return lines
    try:
        return requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return []


def _found(line: str) -> Dependency:
    name = re.match(r"[\w.-]+", line)
    if name is None:
        raise ValueError(f"{line!r} is not a requirement.")
    try:
        installed = version(name[0])
    except PackageNotFoundError:
        installed = None
    return Dependency(name[0], line[name.end() :].strip(), installed)
