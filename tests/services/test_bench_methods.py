"""What `bench` says of the methods' costs, on a tiny random model."""

import re

import pytest
import torch

from medgemma_dash.core.errors import MethodError
from medgemma_dash.methods import available, get
from medgemma_dash.services.costs import method_costs as costs
from medgemma_dash.services.costs.claims import claim_line
from medgemma_dash.services.costs.comparison import compare_costs, same_row
from medgemma_dash.services.costs.masked_scoring import masked_scoring_costs
from medgemma_dash.services.costs.report import _table
from tests.gemma3_factory import Shape, random_adapter
from tests.models.test_restoring import state

LENGTH = 100  # the image, 64 tokens of an answer, and a little
ATTENTION, FEW_RUNS = "attention-only methods / click", "all but occlusion and IG / click"


@pytest.fixture(scope="module")
def model():
    return random_adapter(Shape(seed=41))


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """One round, and no profiler: what is measured is not the point here."""
    monkeypatch.setattr(costs, "MOST_ROUNDS", 1)
    monkeypatch.setattr(costs, "extra_peak_bytes", lambda _work, _device: 2_000_000)


def test_every_method_has_a_row_and_two_sums_follow(model):
    before = state(model)
    lines = list(costs.method_costs(model))
    assert state(model) == before
    number = r"\s+(\d+\.\d+)"
    shown = {}
    for spec, line in zip(available(), lines[2:-2], strict=True):
        found = re.fullmatch(rf"    {re.escape(spec.title)}{number}{number}\s+2", line)
        assert found, line
        shown[spec.name] = float(found[2])
    attention = sum(shown[spec.name] for spec in available() if spec.family == "attention")
    few = sum(shown.values()) - shown["occlusion"] - shown["integrated_gradients"]
    for line, label, total, limit in zip(
        lines[-2:], (ATTENTION, FEW_RUNS), (attention, few), (1, 10), strict=True
    ):
        found = re.fullmatch(rf"    {label}{number}  < {limit}  (yes|NO)", line)
        assert found, line
        assert float(found[1]) == pytest.approx(total, abs=0.01 * len(shown))
        assert found[2] == ("yes" if float(found[1]) < limit else "NO")


def test_scored_masks_stand_beside_bare_forwards_and_the_model_stays_as_it_was(model):
    before = state(model)
    rate, claim = masked_scoring_costs(model, 2)
    assert state(model) == before
    assert float(re.fullmatch(r"  scored masks, S = 320, \d+ at once +(\d+\.\d) a second", rate)[1])
    share = re.fullmatch(r"    scored masks / bare forwards +(\d+\.\d+)  >= 0.8  (yes|NO)", claim)
    assert share[2] == ("yes" if float(share[1]) >= 0.8 else "NO")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "out of memory"),
        (MethodError("This model has no global layer."), "This model has no global layer."),
    ],
)
def test_a_method_that_cannot_run_gives_its_reason_and_the_others_go_on(
    model, monkeypatch, error, reason
):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(type(get("rollout")), "rows", fail)
    lines = list(costs.method_costs(model))
    title = get("rollout").spec.title
    assert f"    {title:34} not on this model: {reason}" in lines
    assert len(lines) == 2 + len(available()) + 2
    assert lines[-2].endswith(f", without {title}")


def test_another_error_is_no_cost(model, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(get("rollout")), "rows", fail)
    with pytest.raises(ZeroDivisionError):
        list(costs.method_costs(model))


def test_the_clicks_table_has_its_five_rows_and_five_claims_and_the_rows_agree(model):
    same_row(model, LENGTH)  # transformers hangs up its hooks when attentions are first asked for
    before = state(model)
    difference = same_row(model, LENGTH)
    lines = _table(compare_costs(model, LENGTH, rounds=1), difference)
    assert state(model) == before
    assert difference < 1e-5  # two float32 computations of one row
    assert [line[4:30].strip() for line in lines[2:7]] == [
        "bare SDPA backward",
        "click, graph kept",
        "click, layers recomputed",
        "textbook, backward only",
        "textbook, whole",
    ]
    assert [line[4:40].strip() for line in lines[7:12]] == [
        "click / bare",
        "textbook / click",
        "memory, kept / textbook",
        "memory, recomputed / textbook",
        "all 64 tokens / (64 clicks)",
    ]
    assert all(line.endswith(("yes", "NO")) for line in lines[7:12])


def test_a_claim_is_met_or_not_by_its_own_sense():
    assert claim_line("a", 1.0, "<", 1).split()[-1] == "NO"
    assert claim_line("a", 1.0, "<=", 1).split()[-1] == "yes"
    assert claim_line("a", 1.9, ">=", 2).split()[-1] == "NO"
