"""The methods that need no gradient, against full matrices in float64."""

import numpy as np
import pytest
import torch

from medgemma_dash.core.errors import CancelledError, MethodError, TargetError
from medgemma_dash.core.target import Target
from medgemma_dash.methods import get
from medgemma_dash.models import attention, streaming_backward
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain, relevancy_tensor
from tests.gemma3_factory import radiograph, random_adapter
from tests.models.test_restoring import InterruptAt, Interrupted, state
from tests.oracles.direct_attention import direct_attention
from tests.oracles.raw_attention import raw_attention
from tests.oracles.rollout import rollout
from tests.oracles.text_to_image_attention import text_to_image_attention
from tests.random_answers import FORCED, QUESTION, SHAPES, Case, case, relative_difference

TOLERANCE = 1e-5  # float32 against float64: the acceptance's

WANTED = {
    "rollout": lambda found, place, **_: rollout(found.forward, place),
    "raw_attention": lambda found, place, **s: raw_attention(found.forward, place, **s),
    "direct_attention": lambda found, place, **s: direct_attention(found.forward, place, **s),
    "text_to_image_attention": lambda found, place, **s: text_to_image_attention(
        found.forward, found.answer.prompt_length - 1, place, found.answer.image_span, **s
    ),
}
# Every choice of every option at least once, and the pairs that could get in each other's way.
VARIANTS = [
    ("rollout", {}),
    ("raw_attention", {}),
    ("raw_attention", {"heads": "max"}),
    ("raw_attention", {"layer": "last global"}),
    ("raw_attention", {"layer": "middle"}),
    ("raw_attention", {"layer": "first", "heads": "max"}),
    ("raw_attention", {"layer": "4", "heads": "3"}),
    ("raw_attention", {"heads": "0"}),
    ("direct_attention", {}),
    ("direct_attention", {"layers": "global"}),
    ("direct_attention", {"layers": "last"}),
    ("direct_attention", {"layers": "0,2-4"}),
    ("direct_attention", {"row": "own"}),
    ("direct_attention", {"row": "own", "layers": "global"}),
    ("text_to_image_attention", {}),
    ("text_to_image_attention", {"layers": "last three"}),
    ("text_to_image_attention", {"layers": "4"}),
    ("text_to_image_attention", {"rows": "1"}),
    ("text_to_image_attention", {"rows": "3", "layers": "last three"}),
    ("text_to_image_attention", {"rows": "10"}),
    ("text_to_image_attention", {"rows": "all"}),
]
every_shape = pytest.mark.parametrize("shape", SHAPES)
every_variant = pytest.mark.parametrize(
    ("method", "settings"), VARIANTS, ids=lambda part: str(part) if part else "default"
)
every_method = pytest.mark.parametrize("method", WANTED)
SLIDING = "heads 4 on 1, window shorter than the image"


def wanted(found: Case, method: str, token: int, settings) -> np.ndarray:
    place = found.answer.tokens[token].position - 1
    return WANTED[method](found, place, **settings).numpy()


def rows(found: Case, method: str, tokens, settings=(), check=None) -> np.ndarray:
    chosen = get(method)
    targets = [Target("token", (index,), "") for index in tokens]
    replay = replay_answer(found.model, found.answer)
    options = chosen.spec.settings(dict(settings))
    return chosen.rows(replay, found.answer, targets, options, check).relevance.numpy()


def lacks_layers(found: Case, method: str, settings) -> bool:
    if "global" in str(settings):
        return not any(found.forward.is_global)
    typed = {"raw_attention": "layer", "direct_attention": "layers"}.get(method)
    return "4" in settings.get(typed, "") and len(found.forward.attentions) < 5


@every_shape
@every_variant
@pytest.mark.parametrize("token", [0, 3, -1])
def test_a_row_equals_the_full_matrices(shape, method, settings, token):
    found = case(shape)
    if lacks_layers(found, method, settings):
        with pytest.raises(MethodError, match=r"no global layer|no layer 4\. Allowed"):
            rows(found, method, [token], settings)
        return
    index = range(len(found.answer.tokens))[token]
    (row,) = rows(found, method, [index], settings)
    truth = wanted(found, method, index, settings)
    if not truth.any():  # the image lies outside the last layers' windows
        assert not row.any()
        return
    assert relative_difference(row, truth) < TOLERANCE


@every_shape
@every_variant
def test_all_tokens_in_one_run_equal_tokens_one_by_one(shape, method, settings):
    found = case(shape)
    if lacks_layers(found, method, settings):
        return
    order = [4, 0, *range(1, 4), 4]
    together = rows(found, method, order, settings)
    assert together.dtype == np.float32
    for row, index in zip(together, order, strict=True):
        (alone,) = rows(found, method, [index], settings)
        assert np.allclose(row, alone, rtol=0, atol=TOLERANCE * alone.max())


@every_shape
@every_variant
def test_relevance_is_zero_from_the_predicting_position_on_and_never_negative(
    shape, method, settings
):
    found = case(shape)
    if lacks_layers(found, method, settings):
        return
    every = range(len(found.answer.tokens))
    for row, token in zip(rows(found, method, every, settings), found.answer.tokens, strict=True):
        assert not row[token.position - 1 :].any()
        assert (row >= 0).all()


@every_variant
def test_a_recomputed_graph_gives_what_a_kept_one_gives(method, settings):
    model = random_adapter(SHAPES[SLIDING])
    answer = ask(model, radiograph(), QUESTION, force=FORCED)
    kept = explain(model, answer, token=2, method=method, **settings)
    model.replays.clear()
    model.replays.budget_bytes = 0
    recomputed = explain(model, answer, token=2, method=method, **settings)
    assert not replay_answer(model, answer).keeps_graph
    assert relative_difference(recomputed.row, kept.row) < TOLERANCE


@every_method
def test_row_of_the_relevancy_tensor_equals_the_click(method):
    found = case("image pushed back by a text in front")
    tensor = relevancy_tensor(found.model, found.answer, method=method)
    for index in range(len(found.answer.tokens)):
        row = explain(found.model, found.answer, token=index, method=method).row
        assert relative_difference(tensor[index], row) < TOLERANCE


@every_method
def test_words_differ(method):
    found = case("six layers, heads 8 on 4")
    first, _, last = rows(found, method, [0, 3, 6])
    assert relative_difference(first, last) > 0.01


def test_what_lies_outside_the_window_is_exactly_zero():
    found = case(SLIDING)
    token = found.answer.tokens[3]
    outside = np.arange(token.position - found.model.layout.sliding_window)
    assert outside.size > found.answer.image_span[0]  # it cuts the image
    for layer in ("last", "first"):  # both slide
        (row,) = rows(found, "raw_attention", [3], {"layer": layer})
        assert not row[outside].any()
        assert row[outside.size : token.position - 1].all()
    (row,) = rows(found, "raw_attention", [3], {"layer": "last global"})
    assert row[: token.position - 1].all()


def test_rollout_reaches_beyond_the_window_by_way_of_other_positions():
    found = case("heads 4 on 4, four soft tokens, sequence longer than the window")
    (row,) = rows(found, "rollout", [3])
    assert row[: found.answer.tokens[3].position - 1].all()


def test_rollout_keeps_a_share_of_two_to_the_minus_layers_in_place_and_loses_nothing():
    found = case("one layer")
    (row,) = rows(found, "rollout", [2])
    predicting = found.answer.tokens[2].position - 1
    own = found.forward.attentions[0].detach().mean(0)[predicting, predicting]
    assert row.sum() == pytest.approx(1 - float(0.5 + 0.5 * own), abs=1e-6)


def test_only_rollout_forms_whole_attention_maps_and_only_in_blocks(monkeypatch):
    found = case("34 layers")
    asked = []
    weights = attention.attention_weights

    def counted(record, places):
        result = weights(record, places)
        asked.append(result.shape[1])
        return result

    for module in ("attention_rows", "rollout"):
        monkeypatch.setattr(f"medgemma_dash.methods.{module}.attention_weights", counted)
    for method, most in (
        ("raw_attention", 1),
        ("direct_attention", 34),
        ("text_to_image_attention", 5),
        ("rollout", 34 * len(found.answer.input_ids)),
    ):
        asked.clear()
        rows(found, method, [-1])
        assert sum(asked) <= most
        assert max(asked) <= streaming_backward.MOST_PROCESSOR_ROWS


@pytest.mark.parametrize("error", [CancelledError, Interrupted])
@pytest.mark.parametrize("budget", [None, 0])
@every_method
def test_an_interruption_anywhere_leaves_the_model_and_chefers_map_as_they_were(
    method, budget, error
):
    model = random_adapter(SHAPES["six layers, heads 8 on 4"])
    answer = ask(model, radiograph(), QUESTION, force="Yes.")
    chefer = explain(model, answer, token=1)
    if budget is not None:
        model.replays.clear()
        model.replays.budget_bytes = budget
    before = state(model)
    replay_answer(model, answer)
    counter = InterruptAt(None, error)
    found = Case(model, answer, None)
    rows(found, method, [1], check=counter)
    assert state(model) == before
    assert counter.calls >= {"rollout": 6, "direct_attention": 6}.get(method, 1)
    for place in range(counter.calls):
        with pytest.raises(error):
            rows(found, method, [1], check=InterruptAt(place, error))
        assert state(model) == before
    if budget is None:
        assert (explain(model, answer, token=1).row == chefer.row).all()


@every_method
def test_a_callers_gradient_and_inference_modes_make_no_difference(method):
    found = case("six layers, heads 8 on 4")
    outside = rows(found, method, [1])
    with torch.no_grad():
        assert (rows(found, method, [1]) == outside).all()
    with torch.inference_mode():
        assert (rows(found, method, [1]) == outside).all()


@every_method
def test_attention_knows_no_contrast(method):
    found = case("six layers, heads 8 on 4")
    with pytest.raises(TargetError, match="against another"):
        explain(found.model, found.answer, token=0, against="No", method=method)


def test_every_choice_is_compared_with_the_oracle():
    tried = {(method, name, value) for method, s in VARIANTS for name, value in s.items()}
    for method in WANTED:
        for control in get(method).spec.controls:
            for choice in control.choices[1:]:
                assert (method, control.name, choice) in tried


def test_every_typed_number_is_compared_with_the_oracle():
    tried = [
        (method, control.name)
        for method, settings in VARIANTS
        for control in get(method).spec.controls
        if settings.get(control.name, control.default) not in control.choices
    ]
    for method in WANTED:
        for control in get(method).spec.controls:
            assert control.numbers is None or (method, control.name) in tried


@pytest.mark.parametrize(
    ("method", "option", "beyond", "message"),
    [
        ("raw_attention", "layer", "6", "no layer 6. Allowed: 0 to 5"),
        ("raw_attention", "heads", "8", "no head 8. Allowed: 0 to 7"),
        ("direct_attention", "layers", "0,4-7", "no layer 7. Allowed: 0 to 5"),
    ],
)
def test_a_layer_or_head_that_the_model_lacks_is_refused_with_those_it_has(
    method, option, beyond, message
):
    found = case("six layers, heads 8 on 4")
    with pytest.raises(MethodError, match=message):
        explain(found.model, found.answer, token=0, method=method, **{option: beyond})
