"""Figures for notebooks, from explanations alone."""

from dataclasses import replace

import pytest

from medgemma_dash import notebook
from medgemma_dash.services.explaining import explain
from tests.random_answers import case


@pytest.fixture(scope="module")
def explanations():
    found = case("six layers, heads 8 on 4")
    return [explain(found.model, found.answer, token=2, method=m) for m in ("chefer", "rollout")]


def test_every_figure_takes_explanations(explanations):
    first, second = explanations
    assert notebook.show(first).data[0].z.max() == pytest.approx(first.image.max())
    assert notebook.show(first).layout.images[0].source.startswith("data:image/jpeg")
    assert len(notebook.compare([first, second, first]).layout.images) == 3
    assert notebook.difference(first, second).data[0].z.sum() == pytest.approx(0, abs=1e-5)
    assert {bar.name for bar in notebook.zones(explanations).data} == {
        "Chefer",
        "Attention rollout",
    }
    matrix = notebook.agreements(explanations, "pearson").data[0].z
    assert matrix[0][0] == pytest.approx(1)
    assert matrix[0][1] == matrix[1][0]
    assert len(notebook.layers(first, [False] * len(first.layers)).data[0].y) == len(first.layers)


def test_an_unknown_measure_lists_those_there_are(explanations):
    with pytest.raises(ValueError, match="pearson"):
        notebook.agreements(explanations, "taste")


def test_an_explanation_without_its_radiograph_says_what_to_do(explanations):
    with pytest.raises(ValueError, match=r"dataclasses\.replace"):
        notebook.show(replace(explanations[0], radiograph=None))
