"""What the store knows, what it assembles, and what it forgets."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from medgemma_dash.core.errors import NoExplanationError
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.core.target import Against, Margin, Target
from medgemma_dash.services.explaining.rows import MEAN_OF_MAPS, Origin, assemble
from medgemma_dash.services.explaining.store import RelevanceStore
from tests.services.makers import (
    IMAGE_SPAN,
    LAYERS,
    make_answer,
    make_explanation,
    make_provenance,
    make_target,
    same_explanation,
)

ANSWER = make_answer()
ORIGIN = Origin(make_provenance(ANSWER), signed=False)
TOKENS, POSITIONS = len(ANSWER.tokens), len(ANSWER.input_ids)


def test_a_span_is_the_mean_of_its_tokens_once_all_are_known() -> None:
    store = RelevanceStore(ANSWER)
    parts = [make_explanation(ANSWER, make_target(ANSWER, index)) for index in (0, 1, 2)]
    span = make_target(ANSWER, 0, 1, 2)
    store.add(parts[0])
    store.add(parts[2])
    assert store.explanation(span) is None
    assert store.missing(span.token_indices) == (1,)
    store.add(parts[1])
    found = store.explanation(span)
    assert found is not None
    rows = np.stack([part.row for part in parts]).mean(0, dtype=np.float64).astype(np.float32)
    layers = np.stack([part.layers for part in parts]).mean(0, dtype=np.float64)
    assert np.array_equal(found.row, rows)
    assert np.array_equal(found.image.ravel(), rows[slice(*IMAGE_SPAN)])
    assert np.array_equal(found.layers, layers.astype(np.float32))
    assert found.target is span


def test_nothing_that_came_with_a_row_is_lost_in_the_store() -> None:
    store = RelevanceStore(ANSWER)
    random = np.random.default_rng(0)
    found = Relevance(
        rows=random.standard_normal((TOKENS, POSITIONS)).astype(np.float32),
        layers=random.random((TOKENS, LAYERS), np.float32),
        gaps=random.standard_normal(TOKENS).astype(np.float32),
        fine=(random.random((TOKENS, 8, 12), np.float32),),
        seconds=random.random(TOKENS),
    )
    store.fill((3, 1), found.of((3, 1)), ORIGIN)
    one_by_one = make_explanation(ANSWER, make_target(ANSWER, 2))
    given = replace(
        one_by_one,
        completeness_gap=0.125,  # gaps are float32
        fine_images=(random.random((8, 12), np.float32),),
    )
    store.add(given)
    span = make_target(ANSWER, 1, 3)
    for wanted in (assemble(ANSWER, span, found.of((1, 3)), ORIGIN), given):
        known = store.explanation(wanted.target)
        assert known is not None
        same_explanation(known, wanted)


def test_a_span_of_summed_logits_is_not_assembled() -> None:
    store = RelevanceStore(ANSWER)
    options = {"words": "summed logits"}
    span = make_target(ANSWER, 0, 1)
    for index in (0, 1):
        store.add(make_explanation(ANSWER, make_target(ANSWER, index)), options)
    assert store.explanation(span, "chefer", options) is None
    whole = make_explanation(ANSWER, span)
    store.add(whole, options)
    found = store.explanation(span, "chefer", options)
    assert found is not None
    assert np.array_equal(found.row, whole.row)


def test_the_word_for_the_mean_is_the_methods_own() -> None:
    pytest.importorskip("torch")
    from medgemma_dash.methods import available

    options = [option for spec in available() for option in spec.options]
    spans = [option for option in options if option.name == "words"]
    assert spans
    assert {option.default for option in spans} == {MEAN_OF_MAPS}


def test_methods_and_settings_have_their_own_rows() -> None:
    store = RelevanceStore(ANSWER)
    target = make_target(ANSWER, 1)
    store.add(make_explanation(ANSWER, target, "chefer"), {"heads": "max"})
    assert store.explanation(target, "chefer") is None
    assert store.explanation(target, "rollout", {"heads": "max"}) is None
    assert store.explanation(target, "chefer", (("heads", "max"),)) is not None


def test_a_contrast_is_kept_apart_from_the_token_itself() -> None:
    store = RelevanceStore(ANSWER)
    no, maybe = Against(7, "No"), Against(8, "Maybe")
    contrast = make_explanation(ANSWER, make_target(ANSWER, 0, against=no), seed=1)
    store.add(contrast)
    plain = make_target(ANSWER, 0)
    assert store.explanation(plain) is None
    assert store.explanation(replace(plain, against=maybe)) is None
    found = store.explanation(replace(plain, against=no))
    assert found is not None
    assert np.array_equal(found.row, contrast.row)
    assert found.target.against == no


def test_a_margin_is_kept_by_its_tokens_whatever_its_sides_are_called() -> None:
    store = RelevanceStore(ANSWER)
    target = Target("margin", (0,), "Yes rather than No", margin=Margin((4,), (7, 9), "Yes", "No"))
    given = make_explanation(ANSWER, target, seed=1)
    store.add(given)
    assert store.explanation(make_target(ANSWER, 0)) is None
    other = replace(target, margin=Margin((4,), (7,), "Yes", "No"))
    assert store.explanation(other) is None
    renamed = replace(target, text="", margin=Margin((4,), (7, 9), "yes", "no"))
    found = store.explanation(renamed)
    assert found is not None
    assert found.target is renamed
    assert np.array_equal(found.row, given.row)


def test_a_run_that_gave_all_words_is_what_a_span_costs() -> None:
    store = RelevanceStore(ANSWER)
    rows = np.ones((TOKENS, POSITIONS), np.float32)
    layers = np.zeros((TOKENS, LAYERS), np.float32)
    relevance = Relevance(rows, layers, seconds=np.full(TOKENS, 8.0))
    store.fill(range(TOKENS), relevance, replace(ORIGIN, at_once=True))
    found = store.explanation(make_target(ANSWER, 0, 1))
    assert found is not None
    assert found.provenance.seconds == 8


def test_an_empty_row_counts_in_spans_and_is_never_shown_alone() -> None:
    store = RelevanceStore(ANSWER)
    full = make_explanation(ANSWER, make_target(ANSWER, 1))
    rows = np.zeros((2, POSITIONS), np.float32)
    rows[1] = full.row
    layers = np.zeros((2, LAYERS), np.float32)
    store.fill((0, 1), Relevance(rows, layers, seconds=np.zeros(2)), ORIGIN)
    assert store.missing((0, 1)) == ()
    assert store.explanation(make_target(ANSWER, 0)) is None
    empty = store.find(make_target(ANSWER, 0))
    assert empty is not None
    with pytest.raises(NoExplanationError, match="Chefer found no relevance at all"):
        assemble(ANSWER, make_target(ANSWER, 0), *empty)
    span = store.explanation(make_target(ANSWER, 0, 1))
    assert span is not None
    assert np.array_equal(span.row, full.row / 2)


def test_each_row_costs_its_share_of_its_batch_and_a_span_what_its_words_cost() -> None:
    store = RelevanceStore(ANSWER)
    random = np.random.default_rng(0)
    for indices, seconds in (((0, 1, 2), 0.2), ((3,), 0.7)):
        rows = random.random((len(indices), POSITIONS), np.float32)
        layers = np.zeros((len(indices), LAYERS), np.float32)
        each = np.full(len(indices), seconds)
        store.fill(indices, Relevance(rows, layers, seconds=each), ORIGIN)

    def cost(*indices: int) -> float:
        found = store.explanation(make_target(ANSWER, *indices))
        assert found is not None
        return found.provenance.seconds

    assert [cost(0), cost(2), cost(3)] == [0.2, 0.2, 0.7]
    assert cost(1, 2, 3) == pytest.approx(1.1)


def test_the_tensor_is_a_copy_with_a_mask() -> None:
    store = RelevanceStore(ANSWER)
    assert not store.tensor().filled.any()
    store.add(make_explanation(ANSWER, make_target(ANSWER, 3)))
    known = store.tensor()
    assert known.filled.tolist() == [False, False, False, True, False]
    known.relevance.rows[:] = 9
    assert not (store.tensor().relevance.rows == 9).any()


def test_a_full_store_forgets_the_method_used_least_recently() -> None:
    one_sheet = TOKENS * ((POSITIONS + LAYERS) * 4 + 8)  # and the seconds
    store = RelevanceStore(ANSWER, budget_bytes=2 * one_sheet)
    target = make_target(ANSWER, 0)
    for method in ("a", "b"):
        store.add(make_explanation(ANSWER, target, method))
    assert store.explanation(target, "a") is not None  # used: "b" is the oldest now
    store.add(make_explanation(ANSWER, target, "c"))
    assert store.bytes <= 2 * one_sheet
    assert [store.explanation(target, m) is not None for m in "abc"] == [True, False, True]


def test_the_newest_result_is_kept_even_without_a_budget() -> None:
    store = RelevanceStore(ANSWER, budget_bytes=0)
    for method in ("a", "b"):
        store.add(make_explanation(ANSWER, make_target(ANSWER, 0), method))
    assert store.explanation(make_target(ANSWER, 0), "a") is None
    assert store.explanation(make_target(ANSWER, 0), "b") is not None


def test_another_answers_explanation_is_refused() -> None:
    store = RelevanceStore(ANSWER)
    longer = make_answer(("No", " fluid", " is", " seen", " here", "."))
    with pytest.raises(ValueError, match="another answer"):
        store.add(make_explanation(longer, make_target(longer, 0)))


def test_threads_may_read_while_rows_come_in() -> None:
    store = RelevanceStore(ANSWER, budget_bytes=1)
    errors: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                store.explanation(make_target(ANSWER, 0, 1))
                store.tensor()
        except Exception as error:
            errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(200):
        store.add(make_explanation(ANSWER, make_target(ANSWER, turn % TOKENS), f"m{turn % 3}"))
    done.set()
    reader.join()
    assert errors == []
