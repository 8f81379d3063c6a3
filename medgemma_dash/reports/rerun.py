"""A record computed again, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medgemma_dash.core.errors import ImageError, ResultFileError
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.progress import Check, Progress
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import UNREADABLE, Record
from medgemma_dash.core.record_reading import read_record
from medgemma_dash.core.samples import shipped_film
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.evidence.again import evidence_again
from medgemma_dash.services.faithfulness.again import faithfulness_again
from medgemma_dash.services.interventions.again import interventions_again
from medgemma_dash.services.prompts.again import prompts_again
from medgemma_dash.services.questions.again import questions_again
from medgemma_dash.services.words.again import words_again

if TYPE_CHECKING:
    import pandas as pd

_BY_KIND = {
    "evidence": evidence_again,
    "words": words_again,
    "prompts": prompts_again,
    "questions": questions_again,
    "faithfulness": faithfulness_again,
    "interventions": interventions_again,
}
# Of numbers that are of the order of one: rounding of another device, library or batch is below.
TOLERANCE = {"float32": 1e-4, "bfloat16": 5e-2, "float16": 1e-2}
_MEASURED = ("seconds",)  # columns that no two runs have in common


@dataclass(frozen=True)
class Agreement:
    """A column of a table, or a map: the largest difference, and whether it is within tolerance.

    difference: 0.0 for texts that are equal, infinite for texts or shapes that are not.
    """

    name: str
    difference: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the two are the same, to the tolerance."""
        return self.difference <= self.tolerance


@dataclass(frozen=True, eq=False)
class Rerun:
    """record: the new one. agreements: of every column and map. differences: in sentences, what
    else is not as it was, and what does not agree; none where all is the same.
    """

    record: Record
    agreements: tuple[Agreement, ...]
    differences: tuple[str, ...]


def rerun(
    record: Record | str | Path,
    model: VisionLanguageModel,
    *,
    images: Sequence[Radiograph] = (),
    progress: Progress | None = None,
    check: Check | None = None,
) -> Rerun:
    """Compute a record again from its plan, and compare.

    record: or where it was saved. images: the radiographs that it is about and that are no shipped
    samples; a record holds no pixels. Raises ImageError that names what is missing by its sha256,
    and ResultFileError for what is no record.
    """
    before = record if isinstance(record, Record) else read_record(record)
    if before.kind not in _BY_KIND:
        raise ResultFileError(
            f"This version cannot run a record of the kind {before.kind!r} again. It knows "
            f"{', '.join(_BY_KIND)}."
        )
    radiographs = _at_hand(before, images)
    try:
        after = _BY_KIND[before.kind](model, before, radiographs, progress, check)
    except UNREADABLE as error:
        raise ResultFileError("The record's plan does not say what was asked.") from error
    tolerance = TOLERANCE.get(before.provenance.dtype, TOLERANCE["float32"])
    agreements = tuple(_agreements(before, after, tolerance))
    return Rerun(after, agreements, tuple(_differences(before, after, agreements)))


def _at_hand(record: Record, images: Sequence[Radiograph]) -> Mapping[str, Radiograph]:
    found = {one.sha256: one for one in images}
    missing = []
    for digest in record.provenance.images:
        film = shipped_film(digest)
        if digest not in found and film is not None:
            found[digest] = load_radiograph(film.path)
        elif digest not in found:
            missing.append(digest)
    if missing:
        raise ImageError(
            "The record is about radiographs that are not at hand. Give the files with the sha256 "
            f"{', '.join(missing)}."
        )
    return found


def _agreements(before: Record, after: Record, tolerance: float) -> Iterator[Agreement]:
    for name, table in before.tables.items():
        other = after.tables.get(name)
        for column in table.columns:
            if column in _MEASURED:
                continue
            there = other is not None and column in other and len(other) == len(table)
            difference = _difference(table[column], other[column]) if there else np.inf  # type: ignore[index]
            yield Agreement(f"{name}.{column}", difference, tolerance)
    for name, image in before.maps.items():
        drawn = after.maps.get(name)
        same = drawn is not None and drawn.shape == image.shape
        # Raw relevance has no unit: a map is compared on the scale of its own peak.
        scale = max(float(np.abs(image).max(initial=0.0)), 1e-12)
        gap = float(np.abs(drawn - image).max(initial=0.0)) / scale if same else np.inf  # type: ignore[operator]
        yield Agreement(f"map {name}", gap, tolerance)


def _difference(one: pd.Series[Any], other: pd.Series[Any]) -> float:
    try:
        first, second = one.to_numpy(np.float64), other.to_numpy(np.float64)
    except (TypeError, ValueError):
        return 0.0 if one.astype(str).tolist() == other.astype(str).tolist() else np.inf
    unknown = np.isnan(first)
    if not np.array_equal(unknown, np.isnan(second)):
        return float(np.inf)
    return float(np.abs(first - second)[~unknown].max(initial=0.0))


def _differences(before: Record, after: Record, agreements: Sequence[Agreement]) -> Iterator[str]:
    was, now = before.provenance, after.provenance
    names = public_model_name(was.model_name), public_model_name(now.model_name)
    for what, old, new in (
        ("model", *names),
        ("model's revision", was.model_revision, now.model_revision),
        ("number format", was.dtype, now.dtype),
        ("device", was.device, now.device),
    ):
        if old != new:
            yield f"The {what} was {old}, and is {new} now."
    versions = dict(now.versions)
    for library, old in was.versions:
        new = versions.get(library, "not there")
        if old != new:
            yield f"{library} was {old}, and is {new} now."
    asked = [record.plan.get("asked", {}).get("answer") for record in (before, after)]
    if asked[0] != asked[1]:
        yield f"The answer was {asked[0]!r}, and is {asked[1]!r} now."
    for one in agreements:
        if not one.agrees:
            far = "has other entries" if np.isinf(one.difference) else f"by {one.difference:.2g}"
            yield f"{one.name} differs: {far} (tolerance {one.tolerance:g})."
