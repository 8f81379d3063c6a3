"""A faithfulness test goes on from what earlier ones found, and past what cannot be had."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from medgemma_dash import faithfulness
from medgemma_dash.core.errors import CancelledError, MethodError
from medgemma_dash.core.progress import finish
from medgemma_dash.services.explaining.targets import choose_target
from medgemma_dash.services.faithfulness import run
from medgemma_dash.services.faithfulness.known import Known, key_of
from medgemma_dash.services.faithfulness.reading import dependence_lines, verdicts_of
from medgemma_dash.services.faithfulness.removals import TargetScore
from medgemma_dash.services.faithfulness.request import request_for
from medgemma_dash.services.faithfulness.run import faithfulness_record_steps
from medgemma_dash.services.faithfulness.tasks import faithfulness_record_task
from tests.random_answers import case

SIX = "six layers, heads 8 on 4"
BOTH = ["mean token", "mean grey"]


def run_test(methods, removals, known=None, sanity=False, check=None):
    found = case(SIX)
    target = choose_target(found.model, found.answer, token=1)
    request = request_for(found.answer, target, methods, removals, sanity=sanity)
    return finish(faithfulness_record_steps(lambda: found.model, request, check, None, known))


@pytest.fixture
def scored(monkeypatch):
    """How many masks were scored by each removal."""
    counted = Counter()

    class Counted(TargetScore):
        def __call__(self, model, masks, check=None):
            counted[self.removal] += len(masks)
            return super().__call__(model, masks, check)

        def at_once(self, model):
            return 20

    monkeypatch.setattr(run, "TargetScore", Counted)
    return counted


def test_a_wider_test_computes_what_is_new_and_says_what_one_from_nothing_says(scored):
    known = Known()
    run_test(["rollout"], BOTH[:1], known)
    narrow = scored["mean token"]
    run_test(["rollout", "chefer"], BOTH[:1], known)
    # Two curves of the new map, whose ends every ranking has.
    assert scored["mean token"] <= narrow + 22
    wide = scored["mean token"]
    given = run_test(["rollout", "chefer"], BOTH, known, sanity=True)
    assert scored == {"mean token": wide, "mean grey": wide}
    wanted = faithfulness(
        case(SIX).model, case(SIX).answer, token=1, methods=["rollout", "chefer"], removals=BOTH
    )
    assert given.plan == wanted.plan
    for name, table in wanted.tables.items():
        # Other batches, so other roundings: of float32 sums, magnified where two nearly cancel.
        pd.testing.assert_frame_equal(given.tables[name], table, rtol=2e-4, atol=2e-5)
    for name, image in wanted.maps.items():
        np.testing.assert_array_equal(given.maps[name], image)


def test_what_was_scored_before_a_test_was_stopped_is_not_scored_again(scored):
    known = Known()

    def stop():
        if len(known.scores.get("mean token", ())) > 40:
            raise CancelledError("Enough.")

    with pytest.raises(CancelledError):
        run_test(["rollout"], BOTH[:1], known, check=stop)
    before = len(known.scores["mean token"])
    assert before > 0
    begun = scored["mean token"]
    run_test(["rollout"], BOTH[:1], known)
    assert scored["mean token"] - begun == len(known.scores["mean token"]) - before


def test_masks_of_other_cells_have_other_names():
    masks = np.eye(20, dtype=np.bool_)
    assert len({key_of(mask) for mask in masks}) == 20


def test_a_removal_that_cannot_be_had_gives_its_reason_and_the_others_are_done(monkeypatch):
    class Broken(TargetScore):
        def __call__(self, model, masks, check=None):
            if self.removal in broken:
                raise RuntimeError("out of memory: 3 GB")
            return super().__call__(model, masks, check)

    broken = {"mean token"}
    monkeypatch.setattr(run, "TargetScore", Broken)
    record = run_test(["rollout"], BOTH, sanity=True)
    dependence = record.tables["dependence"].set_index("removal")
    assert "memory was not enough" in dependence.loc["mean token", "failure"]
    assert np.isnan(dependence.loc["mean token", "image_effect"])
    assert not dependence.loc["mean token", "depends"]
    assert dependence.loc["mean grey", "failure"] == ""
    lines = dependence_lines(record)
    assert any(line.startswith("By mean token, nothing could be removed: ") for line in lines)
    assert [removal for removal, _ in verdicts_of(record)[0].removals] == ["mean grey"]
    infidelity = record.tables["sanity"].set_index("check").loc["infidelity"]
    assert infidelity["step"] == "mean grey"
    broken.add("mean grey")
    with pytest.raises(MethodError, match=r"mean token: .*; mean grey: .*memory"):
        run_test(["rollout"], BOTH)


def test_a_decision_is_named_by_its_two_words():
    found = case(SIX)
    task = faithfulness_record_task(found.answer, ("Yes", "No"), ["chefer"], BOTH[:1], sanity=False)

    class Context:
        def check(self): ...

        def progress(self, done, total): ...

    record = finish(task.work(lambda: found.model, Context()))
    assert record.plan["target"]["text"] == "Yes rather than No"
