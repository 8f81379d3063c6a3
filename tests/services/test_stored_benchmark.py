"""The benchmark that is stored with the program is of this program's model and methods."""

import pytest

from medgemma_dash.methods import available
from medgemma_dash.models import load_model
from medgemma_dash.services.method_benchmark import read_summary


@pytest.fixture(scope="module")
def summary(repository):
    return read_summary(repository / "assets" / "benchmark" / "benchmark.json")


def test_it_is_of_the_shipped_demo_model(summary):
    assert summary.is_demo
    assert summary.model_revision == load_model("demo").revision


def test_every_method_has_a_score(summary):
    scored = {one.name for one in summary.methods}
    assert {spec.name for spec in available()} <= scored
    for spec in available():
        score = summary.score(spec.name)
        assert score is not None
        assert score.title == spec.title
        assert score.interval("pointing") is not None


def test_the_lesion_itself_is_the_ceiling(summary):
    ceiling = summary.score("lesion").interval("auprc")
    for one in summary.methods:
        found = one.interval("auprc")
        assert found is None or found.mean <= ceiling.mean + 1e-9
