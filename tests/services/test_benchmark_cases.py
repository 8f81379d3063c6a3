"""Which methods, pictures and words a benchmark takes up, and what it keeps when stopped."""

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.core.errors import ModelError, SettingError
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED
from medgemma_dash.methods import available
from medgemma_dash.services.datasets.annotations import read_annotations
from medgemma_dash.services.evaluation.benchmark import cases
from medgemma_dash.services.evaluation.benchmark.cases import (
    annotated_cases,
    synthetic_cases,
    words_that_affirm,
)
from medgemma_dash.services.evaluation.benchmark.run import chosen_methods
from medgemma_dash.services.evaluation.benchmark.summary import summarise
from medgemma_dash.services.evaluation.benchmark.table import as_markdown
from tests.services.benchmark_runs import COMMAND, known_case, run
from tests.services.makers import make_answer


def test_controls_always_come_along_and_names_are_checked():
    names = {spec.name for spec in chosen_methods(["chefer"])}
    assert names == {"chefer", "random", "centre", "uniform"}
    assert len(chosen_methods(None)) == len(available())


def test_ctrl_c_keeps_the_radiographs_that_are_done_and_the_table_says_so():
    stopped = run((known_case("1"),), (known_case("2", right=False),), stop=True)
    assert not stopped.complete
    assert (stopped.radiographs, stopped.answers, stopped.wrong_answers) == (2, 2, 1)
    assert "Partial result" in as_markdown(summarise(stopped, COMMAND))
    with pytest.raises(KeyboardInterrupt):
        run(stop=True)


def test_without_a_right_answer_there_is_no_benchmark():
    with pytest.raises(ModelError, match="none of 1 questions"):
        run((known_case(right=False),))


def test_seeds_of_training_are_refused():
    with pytest.raises(SettingError, match=str(FIRST_EVALUATION_SEED)):
        synthetic_cases(None, 1, FIRST_EVALUATION_SEED - 1)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (("Yes", ",", " a nod", "ule", "."), [("presence", (0,)), ("finding", (2, 3))]),
        (("yes", ",", " there is."), [("presence", (0,))]),
        (("No", ", no ", "nodule", "."), []),
        (("Yes", "terday ", "a ", "nodule"), []),
        (("A nodule", ": ", "yes"), []),
    ],
)
def test_an_answer_affirms_when_yes_leads_it(texts, words):
    found = words_that_affirm(make_answer(texts), "nodule")
    assert [(word.kind, word.tokens) for word in found] == words


def test_annotated_pictures_are_asked_about_their_labels(tmp_path, monkeypatch):
    asked = []

    def answering(model, radiograph, question):
        asked.append(question)
        return make_answer(("Yes", ", ", "mass", "."), question, radiograph)

    monkeypatch.setattr(cases, "ask", answering)
    for name in ("a", "b"):
        Image.fromarray(np.full((60, 40), 90, np.uint8)).save(tmp_path / f"{name}.png")
    table = tmp_path / "boxes.csv"
    table.write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h]\na.png,Mass,2,3,5,6\n"
        "b.png,Mass,1,1,2,2\na.png,Nodule,0,0,4,4\n"
    )
    read = read_annotations(table, tmp_path)
    (tmp_path / "b.png").unlink()
    first, second = (
        [make() for make in one.cases] for one in annotated_cases(None, read.findings, 10).pictures
    )
    assert [one.finding for one in first] == ["mass", "nodule"]
    assert first[0].mask.sum() == 30
    assert asked == ["Is there evidence of mass?", "Is there evidence of nodule?"]
    assert [len(one.words) for one in first] == [2, 1]
    assert second == [None]  # left out
    assert "a.png" not in repr(first[0].radiograph)
