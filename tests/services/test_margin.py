"""What moved the decision: explained as it is defined, whichever way it fell."""

import numpy as np
import pytest

from medgemma_dash.methods import get
from medgemma_dash.services.explaining.explain import explain
from medgemma_dash.services.explaining.steps import explain_steps
from medgemma_dash.services.explaining.store import RelevanceStore
from tests.oracles import chefer, input_x_gradient
from tests.random_answers import case, relative_difference
from tests.services.makers import NobodyWaits, finished

SIDES = ("Yes", "No")


@pytest.mark.parametrize(
    "shape", ["six layers, heads 8 on 4", "image pushed back by a text in front"]
)
@pytest.mark.parametrize("method", [chefer, input_x_gradient])
def test_a_margin_equals_the_definition_in_float64(shape, method):
    found, name = case(shape), method.__name__.split(".")[-1]
    result = explain(found.model, found.answer, margin=SIDES, method=name)
    options = get(name).spec.parse({})
    (wanted,) = method.oracle(found, [result.target], options)
    assert relative_difference(result.row, wanted) < 1e-5  # float32 against float64


def test_the_sides_exchanged_change_the_sign_of_a_signed_map():
    found = case("six layers, heads 8 on 4")
    one = explain(found.model, found.answer, margin=SIDES, method="input_x_gradient").row
    other = explain(found.model, found.answer, margin=SIDES[::-1], method="input_x_gradient").row
    assert relative_difference(one, -other) < 1e-5  # the same sums in float32, in another order
    assert np.abs(one).max() > 0


@pytest.mark.parametrize("method", ["chefer", "occlusion"])
def test_a_margin_comes_out_of_the_store_and_is_no_token(method):
    found = case("six layers, heads 8 on 4")
    target = explain(found.model, found.answer, margin=SIDES).target
    store = RelevanceStore(found.answer)
    steps = explain_steps(lambda: found.model, store, target, method, (), NobodyWaits())
    given = finished(steps)
    assert given.target == target
    known = store.explanation(target, method)
    np.testing.assert_array_equal(known.row, given.row)
    alone = explain(found.model, found.answer, token=0, method=method)
    assert relative_difference(given.row, alone.row) > 0.01
