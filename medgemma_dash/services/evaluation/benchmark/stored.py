"""The benchmark's files: every observation as Parquet, the summary as JSON, and back."""

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NoReturn, get_args, get_origin, get_type_hints

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.services.evaluation.benchmark.measures import Observation
from medgemma_dash.services.evaluation.benchmark.summary import BenchmarkSummary

SCHEMA = "medgemma-dash/benchmark"
SCHEMA_VERSION = 1
MOST_BYTES = 16 << 20


def observations_parquet(observations: Sequence[Observation]) -> bytes:
    """One row per radiograph, finding, word and method, as a Parquet file."""
    import pandas as pd

    rows = [dataclasses.asdict(one) for one in observations]
    written: bytes = pd.DataFrame(rows).to_parquet(None, engine="pyarrow", index=False)
    return written


def summary_json(summary: BenchmarkSummary) -> str:
    """Strict JSON without a date, so that the same run gives the same text but for seconds."""
    head = {"schema": SCHEMA, "schema_version": SCHEMA_VERSION}
    document = head | dataclasses.asdict(summary)
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def read_summary(path: Path) -> BenchmarkSummary:
    """Read what `benchmark --out` wrote as benchmark.json.

    Raises ResultFileError, with the reason, for a file that is missing or of another form.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        _refuse(path, f"it cannot be read: {error.strerror or error}")
    if len(data) > MOST_BYTES:
        _refuse(path, "it is far too large")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        _refuse(path, "it holds no JSON")
    if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
        _refuse(path, f"it does not say that its schema is {SCHEMA}")
    version = document.pop("schema_version", None)
    if version != SCHEMA_VERSION:
        _refuse(path, f"its schema_version is {version!r}, and {SCHEMA_VERSION} is read")
    try:
        summary: BenchmarkSummary = _read(BenchmarkSummary, document, "the summary")
    except _MisfitError as error:
        _refuse(path, str(error))
    return summary


class _MisfitError(Exception):
    """Where the document is not what it should be."""


def _refuse(path: Path, reason: str) -> NoReturn:
    raise ResultFileError(
        f"{path.name} is no benchmark summary: {reason}. "
        "`python -m medgemma_dash benchmark --out FOLDER` writes one."
    )


def _read(kind: Any, value: object, place: str) -> Any:
    """The value as the type that the dataclass states; raises _MisfitError that names the place."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        types = get_type_hints(kind)
        if not isinstance(value, dict) or set(value) != set(types):
            raise _MisfitError(f"{place} needs exactly {', '.join(types)}")
        return kind(**{name: _read(of, value[name], name) for name, of in types.items()})
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise _MisfitError(f"{place} is not a list")
        return tuple(_read(get_args(kind)[0], one, place) for one in value)
    if get_origin(kind) is UnionType:
        (given,) = (one for one in get_args(kind) if one is not NoneType)
        return None if value is None else _read(given, value, place)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        if math.isfinite(value):
            return float(value)
    elif isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
        return value
    raise _MisfitError(f"{place} is not of the type {kind.__name__}")
