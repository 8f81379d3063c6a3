"""A set of questions asked again, from what its record says was asked."""

from collections.abc import Mapping
from dataclasses import replace

from medgemma_dash.core.progress import Check, Progress
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.datasets.questions.images import ImageNotFoundError
from medgemma_dash.services.datasets.questions.rows import checked_rows
from medgemma_dash.services.datasets.questions.table import QuestionTable
from medgemma_dash.services.questions.pictures import GivenPictures
from medgemma_dash.services.questions.plan import QuestionsPlan
from medgemma_dash.services.questions.question_set import QuestionSet
from medgemma_dash.services.questions.run import run_through


def questions_again(
    model: VisionLanguageModel,
    record: Record,
    radiographs: Mapping[str, Radiograph],
    progress: Progress | None = None,
    check: Check | None = None,
) -> Record:
    """The record of the same rows by this model. radiographs: by sha256.

    A row that had no image then has none now, and its problem stands as it was.
    """
    asked = record.plan
    plan = QuestionsPlan(
        table_sha256=asked["table_sha256"],
        columns=tuple(asked["columns"]),
        rows=tuple(asked["rows"]),
        selected=tuple(asked.get("selected", ())),
        withheld=tuple(asked["withheld"]),
        maps=asked["maps"],
        max_new_tokens=asked["max_new_tokens"],
    )
    before = record.tables["rows"]
    digests, problems = before["image_sha256"].tolist(), before["problem"].tolist()
    places = before["row"].tolist()
    cells = before[list(plan.columns)].astype(str).itertuples(index=False, name=None)
    table = QuestionTable(plan.columns, tuple(cells), {}, "")

    def find(place: int, _: Mapping[str, str]) -> str:
        if not digests[place]:
            raise ImageNotFoundError(problems[place])
        return str(digests[place])

    rows = []
    for place, row in enumerate(checked_rows(table, find, plan.withheld)):
        problem = row.problem if digests[place] else problems[place]
        rows.append(replace(row, row=places[place], problem=problem))
    partners = {
        int(row): int(other)
        for row, other in zip(before["row"], before["swapped_row"], strict=True)
        if other >= 0
    }
    again = QuestionSet(plan, tuple(rows), GivenPictures(radiographs), partners)
    return run_through(model, again, progress=progress, check=check)
