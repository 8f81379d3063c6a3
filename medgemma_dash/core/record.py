"""An analysis as a value: what was asked, what was found, and what finds it again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.answer import Answer

if TYPE_CHECKING:
    import pandas as pd

TABLE_NAME = re.compile(r"[a-z][a-z_]{0,39}")
MAP_NAME = re.compile(r"[\w][\w .,:+-]{0,99}")
# What reading a plan or tables raises that are not those of the record's kind.
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


@dataclass(frozen=True)
class Asked:
    """A question about radiographs and the answer that it had, as a plan keeps them.

    image_sha256s: of the radiographs, in order. answer_ids: the answer's token ids.
    forced: the answer was given, not generated.
    """

    image_sha256s: tuple[str, ...]
    prompt: str
    answer: str
    answer_ids: tuple[int, ...]
    forced: bool

    @classmethod
    def of(cls, answer: Answer) -> Asked:
        """What was asked for this answer."""
        return cls(
            image_sha256s=tuple(image.radiograph.sha256 for image in answer.images),
            prompt=answer.prompt,
            answer=answer.text,
            answer_ids=tuple(token.id for token in answer.tokens),
            forced=answer.forced,
        )


@dataclass(frozen=True)
class RecordProvenance:
    """What computed a record. Holds no pixels, no file name and no path.

    images: sha256 of every radiograph that was looked at. seconds: what it took.
    versions: pairs of a library and its version.
    """

    model_name: str
    model_revision: str
    is_demo: bool
    device: str
    dtype: str
    images: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    seconds: float


@dataclass(frozen=True, eq=False)
class Record:
    """An analysis: pages, reports and commands read it, and no model is needed for that.

    kind: "evidence", "words", "prompts", "faithfulness", "interventions" or "questions".
    plan: what was asked, as JSON knows it. tables: by name; docs/records.md has their columns.
    maps: float32 (rows, columns) by name, raw relevance, not normalised.
    """

    kind: str
    plan: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    provenance: RecordProvenance
    maps: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (self.kind, *self.tables):
            if not TABLE_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a kind or a table.")
        for name, image in self.maps.items():
            if not MAP_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a map.")
            if image.dtype != np.float32 or image.ndim != 2:
                raise ValueError(f"The map {name!r} is not float32 (rows, columns).")
            image.flags.writeable = False
        for name in ("plan", "tables", "maps"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def save(self, path: str | Path) -> None:
        """Write it whole or not at all: into a folder, or one file where the name ends in .zip.

        An older record there is replaced. Raises ResultFileError where it cannot be written, or
        where something else stands there.
        """
        from medgemma_dash.core.record_files import save_record

        save_record(self, Path(path))
