"""Records computed again: equal where all is the same, and what differs is named."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medgemma_dash import (
    cli,
    evidence,
    faithfulness,
    intervene,
    prompt_sensitivity,
    rerun,
    target_words,
)
from medgemma_dash.cli import chosen_model
from medgemma_dash.core.errors import ImageError, ResultFileError
from tests.gemma3_factory import radiograph
from tests.random_answers import case
from tests.services.questions.tables import answered_set, films_of_set

DONORS = [radiograph(seed) for seed in range(20, 25)]
MAKERS = {
    "evidence": lambda found: evidence(found.model, found.answer, donors=DONORS),
    "words": lambda found: target_words(
        found.model, found.answer, ["right", "evidence of"], places=["prompt", "forced"]
    ),
    "prompts": lambda found: prompt_sensitivity(
        found.model,
        found.answer.radiograph,
        "Is there pneumonia?",
        {"mine": "Any pneumonia?"},
        ["noise 3", "pixels"],
        max_new_tokens=3,
        seed=4,
    ),
    "questions": lambda found: answered_set(found.model),
    "faithfulness": lambda found: faithfulness(
        found.model, found.answer, phrase="right", removals=["another patient"], donor=DONORS[0]
    ),
    "interventions": lambda found: intervene(
        found.model,
        found.answer,
        remove=np.eye(*found.answer.grid, dtype=np.bool_),
        removal="another patient",
        donor=DONORS[0],
        phrase="right",
        method="rollout",
        copies=2,
        max_new_tokens=3,
    ),
}


@pytest.fixture
def found():
    return case("six layers, heads 8 on 4")


def every_image(found):
    return [*DONORS, *films_of_set(), *(image.radiograph for image in found.answer.images)]


def timeless(table):
    return table.drop(columns="seconds", errors="ignore")


@pytest.mark.parametrize("kind", MAKERS)
def test_the_same_model_finds_the_same_from_what_was_saved(kind, found, tmp_path):
    before = MAKERS[kind](found)
    before.save(tmp_path / "record")
    again = rerun(tmp_path / "record", found.model, images=every_image(found))
    assert again.differences == ()
    assert {one.difference for one in again.agreements} == {0.0}
    compared = sum(len(timeless(one).columns) for one in before.tables.values())
    assert len(again.agreements) == compared + len(before.maps)
    for name, table in before.tables.items():
        pd.testing.assert_frame_equal(timeless(again.record.tables[name]), timeless(table))


def test_another_model_differs_by_name_in_answer_and_numbers(found):
    before = MAKERS["evidence"](found)
    other = case("one layer").model
    again = rerun(before, other, images=every_image(found))
    told = "\n".join(again.differences)
    assert "words.log_probability differs" in told
    assert "words.text differs" not in told, "the forced answer is the same"
    older = replace(
        before,
        provenance=replace(before.provenance, versions=(("torch", "1.0"),), model_revision="x"),
    )
    told = rerun(older, found.model, images=every_image(found)).differences
    assert [line.split(" was ")[0] for line in told] == ["The model's revision", "torch"]


def test_images_that_are_not_at_hand_are_asked_for_by_their_digest(found):
    before = MAKERS["evidence"](found)
    missing = found.answer.radiograph.sha256
    with pytest.raises(ImageError, match=missing):
        rerun(before, found.model, images=DONORS)


def test_a_number_that_changed_is_found(found, tmp_path, capsys, monkeypatch):
    before = MAKERS["evidence"](found)
    table = before.tables["words"].copy()
    table.loc[1, "blank"] += 0.01
    changed = replace(before, tables={**before.tables, "words": table})
    told = rerun(changed, found.model, images=every_image(found)).differences
    assert told == ("words.blank differs: by 0.01 (tolerance 0.0001).",)


def test_the_command_says_so_and_its_status_too(demo_model, tmp_path, capsys, monkeypatch):
    from medgemma_dash import ask, load_radiograph
    from medgemma_dash.core.samples import shipped_films

    monkeypatch.setattr(chosen_model, "load_model", lambda *names, **options: demo_model)
    film = load_radiograph(shipped_films()[0].path)
    record = evidence(demo_model, ask(demo_model, film, "Pneumonia?", max_new_tokens=2))
    record.save(tmp_path / "a.zip")
    assert cli.main(["rerun", str(tmp_path / "a.zip"), "--out", str(tmp_path / "b.zip")]) == 0
    assert "agree, within 0" in capsys.readouterr().out
    replace(record, provenance=replace(record.provenance, model_revision="x")).save(
        tmp_path / "a.zip"
    )
    assert cli.main(["rerun", str(tmp_path / "a.zip")]) == 1
    assert "revision was x" in capsys.readouterr().out


def test_a_kind_or_plan_that_is_not_known_is_said(found):
    before = MAKERS["evidence"](found)
    with pytest.raises(ResultFileError, match="kind 'dreams'"):
        rerun(replace(before, kind="dreams"), found.model)
    with pytest.raises(ResultFileError, match="does not say what was asked"):
        rerun(replace(before, plan={}), found.model, images=every_image(found))
    before = MAKERS["prompts"](found)
    for changes in ({"prompts": []}, {"options": [1]}, {"seed": 1e308}):
        with pytest.raises(ResultFileError, match="does not say what was asked"):
            rerun(
                replace(before, plan=before.plan | changes), found.model, images=every_image(found)
            )
