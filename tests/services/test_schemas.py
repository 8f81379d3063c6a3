"""Every JSON file that leaves the program is what its published schema says."""

from __future__ import annotations

import copy
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.radiograph import Window
from medgemma_dash.core.resources import resource
from medgemma_dash.core.target import Against, Margin, Target
from medgemma_dash.regions import ZoneRow, ZoneTable
from medgemma_dash.services.exporting import SCHEMA_VERSION, explanation_json, relevancy_npz
from tests.services.makers import (
    make_answer,
    make_answer_of_two,
    make_explanation,
    make_provenance,
    make_target,
)

ZONES = ZoneTable((ZoneRow("Right upper", 0.25, 0.01, 0.5),), None, 0.25)


def validator(repository: Path, name: str, part: str = "") -> Draft202012Validator:
    schema = json.loads((repository / "docs" / "schemas" / f"{name}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    if part:
        schema = {"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
    return Draft202012Validator(schema)


def explanations() -> dict[str, tuple[Explanation, Answer]]:
    """One of every kind that differs in its keys."""
    one, two = make_answer(), make_answer_of_two()
    plain = make_explanation(one, make_target(one, 2))
    against = make_target(one, 0, against=Against(7, "No", "Not at all"))
    margin = Target("margin", (0,), "Yes rather than No", margin=Margin((4,), (7,), "Yes", "No"))
    patches = tuple(np.ones((4, 6), np.float32) for _ in two.images)
    unknown = np.asarray([np.nan, np.inf, 0.5, 1], np.float32)
    return {
        "word": (plain, one),
        "contrast": (make_explanation(one, against), one),
        "answer": (make_explanation(one, make_target(one, 0, 1, kind="answer")), one),
        "not finite": (replace(plain, layers=unknown, completeness_gap=float("nan")), one),
        "two images": (replace(make_explanation(two, margin), fine_images=patches), two),
    }


@pytest.mark.parametrize("kind", ["word", "contrast", "answer", "not finite", "two images"])
@pytest.mark.parametrize("whole", [True, False])
def test_explanations_are_what_their_schema_says(repository: Path, kind: str, whole: bool) -> None:
    explanation, answer = explanations()[kind]
    zones, window = (ZONES, Window("Own", 1.5, 2.0, exact=True)) if whole else (None, None)
    document = json.loads(explanation_json(explanation, answer, zones, shown_window=window))
    validator(repository, f"explanation-{SCHEMA_VERSION}").validate(document)


def test_the_schema_refuses_what_lost_a_key(repository: Path) -> None:
    explanation, answer = explanations()["word"]
    document: dict[str, Any] = json.loads(explanation_json(explanation, answer, ZONES))
    valid = validator(repository, f"explanation-{SCHEMA_VERSION}").is_valid
    added_later = {"question", "word", "rendered_prompt", "films"}
    for key in document:
        assert valid({k: v for k, v in document.items() if k != key}) == (key in added_later)
    for place in ("target", "map", "answer", "provenance", "zones"):
        for key in document[place]:
            broken = copy.deepcopy(document)
            del broken[place][key]
            later = (place, key) == ("zones", "scheme")
            assert valid(broken) == later, f"{place}.{key}"


def test_the_schema_names_every_key_of_an_explanation(repository: Path) -> None:
    named = validator(repository, f"explanation-{SCHEMA_VERSION}").schema["properties"].keys()
    written = {key for one in explanations().values() for key in json.loads(explanation_json(*one))}
    assert written == named


def test_the_provenance_of_a_tensor_is_that_of_the_schema(repository: Path) -> None:
    for answer in (make_answer(), make_answer_of_two()):
        rows = np.zeros((len(answer.tokens), len(answer.input_ids)), np.float32)
        with np.load(io.BytesIO(relevancy_npz(answer, rows, make_provenance(answer)))) as stored:
            provenance = json.loads(str(stored["provenance"]))
        validator(repository, "explanation-1", "provenance").validate(provenance)


def test_the_shipped_benchmark_is_what_its_schema_says(repository: Path) -> None:
    summary = json.loads(resource("assets", "benchmark", "benchmark.json").read_text("utf-8"))
    validator(repository, "benchmark-1").validate(summary)
