"""The benchmark that is stored with the program is of this program's model and methods."""

import pytest

from medgemma_dash.methods import available
from medgemma_dash.models import load_model
from medgemma_dash.services.evaluation.benchmark import read_summary
from medgemma_dash.services.evaluation.benchmark.measures import OWN_CONTROLS


@pytest.fixture(scope="module")
def summary(repository):
    return read_summary(repository / "assets" / "benchmark" / "benchmark.json")


def test_it_is_of_the_shipped_demo_model(summary):
    assert summary.is_demo
    assert summary.model_revision == load_model("demo").revision


def test_every_score_is_of_a_method_or_control_that_there_is(summary):
    titles = {spec.name: spec.title for spec in available()} | OWN_CONTROLS
    for score in summary.methods:
        assert score.title == titles[score.name]
        assert score.interval("pointing") is not None


def test_a_method_that_came_after_the_run_has_no_score_and_the_others_keep_theirs(summary):
    """A method's file and its oracle are enough: the benchmark, an hour of work, may follow."""
    assert summary.score("a method of tomorrow") is None
    scored = [spec for spec in available() if summary.score(spec.name) is not None]
    assert len(scored) > 0.75 * len(available()), "Run `python -m medgemma_dash benchmark` anew."


def test_the_lesion_itself_is_the_ceiling(summary):
    ceiling = summary.score("lesion").interval("auprc")
    for one in summary.methods:
        found = one.interval("auprc")
        assert found is None or found.mean <= ceiling.mean + 1e-9
