"""docs/records.md says of every table what stands in it: its columns, in their order."""

import re

import numpy as np
import pytest

from medgemma_dash import evidence, faithfulness, intervene, prompt_sensitivity, target_words
from medgemma_dash.core.resources import resource
from tests.gemma3_factory import radiograph
from tests.random_answers import case
from tests.services.questions.tables import answered_set

MADE = {
    "evidence": lambda found: evidence(
        found.model, found.answer, donors=[radiograph(seed) for seed in range(5, 10)]
    ),
    "words": lambda found: target_words(found.model, found.answer, ["right"]),
    "prompts": lambda found: prompt_sensitivity(
        found.model, found.answer.radiograph, "Pneumonia?", ["Any pneumonia?"], max_new_tokens=2
    ),
    "questions": lambda found: answered_set(found.model),
    "faithfulness": lambda found: faithfulness(
        found.model, found.answer, token=1, methods=["rollout"], removals=["mean token"]
    ),
    "interventions": lambda found: intervene(
        found.model, found.answer, keep=np.eye(*found.answer.grid, dtype=np.bool_), token=1
    ),
}


def documented() -> dict[str, dict[str, list[str]]]:
    """Kind, table, columns."""
    text = resource("docs", "records.md").read_text(encoding="utf-8")
    found: dict[str, dict[str, list[str]]] = {}
    for kind, body in re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.S | re.M):
        found[kind] = {
            table: re.findall(r"^\| (\w+) \| (?!meaning)", rows, re.M)
            for table, rows in re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", body, re.S | re.M)
        }
    return found


def test_every_kind_is_documented():
    assert documented().keys() == MADE.keys()


@pytest.mark.parametrize("kind", MADE)
def test_a_records_tables_are_the_documented_ones(kind):
    record = MADE[kind](case("six layers, heads 8 on 4"))
    written = {name: list(table.columns) for name, table in record.tables.items()}
    assert written == documented()[kind]
    assert record.kind == kind
