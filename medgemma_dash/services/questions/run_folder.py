"""The folder of one run: what may be written there, and whose run stands in it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.record import Record, RecordProvenance
from medgemma_dash.core.record_files import HEAD
from medgemma_dash.core.record_reading import read_record
from medgemma_dash.services.questions.journal import FILE
from medgemma_dash.services.questions.plan import KIND, QuestionsPlan


def check_folder(folder: Path) -> None:
    """Empty, or of a run; raises ResultFileError."""
    if folder.suffix.lower() == ".zip":
        raise ResultFileError(
            "A run of questions is kept in a folder, so that it can go on after it was ended. "
            "Choose a name without .zip."
        )
    if folder.is_dir():
        names = {one.name for one in folder.iterdir() if not one.name.startswith(".writing-")}
        if not names or names & {FILE, HEAD}:
            return
    elif not folder.exists():
        return
    raise ResultFileError(
        f"{folder} is there already and holds no run. Choose an empty folder or another name."
    )


def identity(facts: RecordProvenance, plan: QuestionsPlan) -> dict[str, object]:
    """All that a run's numbers depend on, as JSON knows it. facts: of the model."""
    return _plain({"plan": asdict(plan)} | _made_by(facts))


def finished(folder: Path, run: Mapping[str, object]) -> Record:
    """The record that stands there; raises ResultFileError where it is of something else."""
    record = read_record(folder)
    there = _plain({"plan": dict(record.plan)} | _made_by(record.provenance))
    if record.kind != KIND or there != run:
        raise ResultFileError(
            f"{folder} holds a finished record of something else: another table, other options, "
            "another model or other versions. Choose another folder."
        )
    (folder / FILE).unlink(missing_ok=True)  # where the process ended right behind the record
    return record


def _made_by(facts: RecordProvenance) -> dict[str, object]:
    return {
        "model": public_model_name(facts.model_name),
        "revision": facts.model_revision,
        "device": facts.device,
        "dtype": facts.dtype,
        "versions": facts.versions,
    }


def _plain(run: Mapping[str, object]) -> dict[str, object]:
    plain: dict[str, object] = json.loads(json.dumps(run))
    return plain
