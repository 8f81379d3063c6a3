"""Options that take typed numbers: what is read, and what is refused with what is allowed."""

import pytest

from medgemma_dash.core.errors import MethodError
from medgemma_dash.methods import get
from medgemma_dash.methods.typed_numbers import Numbers

LIST, ONE = Numbers("layers", several=True), Numbers("a layer's number")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("3", (3,)),
        ("3,5-8", (3, 5, 6, 7, 8)),
        (" 8 , 5 - 6 ", (5, 6, 8)),
        ("5-5,5", (5,)),
        ("0-9999", tuple(range(10_000))),
    ],
)
def test_a_list_is_read_in_order_and_each_number_once(text, wanted):
    assert LIST.read(text) == wanted


@pytest.mark.parametrize(
    "text", ["", ",", "3,", "a", "-1", "1--2", "8-5", "1.5", "99999", "0-99999", "٣", "1;2"]
)
def test_what_is_no_list_is_none(text):
    assert LIST.read(text) is None


def test_one_number_is_one_number():
    assert ONE.read("12") == (12,)
    assert ONE.read("1,2") is None
    assert Numbers("rows", least=1).read("0") is None


@pytest.mark.parametrize(
    ("method", "option", "allowed"),
    [
        ("direct_attention", "layers", "all, global, last; or layers, counted from 0"),
        ("raw_attention", "heads", "mean, max; or a head's number"),
        ("text_to_image_attention", "rows", "5, 1, 10, all; or a number of predicting positions"),
    ],
)
def test_a_text_that_is_not_allowed_is_refused_with_what_is(method, option, allowed):
    with pytest.raises(MethodError, match=f"'some'. Allowed: {allowed}"):
        get(method).spec.option_values({option: "some"})


def test_a_typed_value_is_recorded_as_it_was_typed_and_given_as_numbers():
    spec = get("direct_attention").spec
    assert dict(spec.option_values({"layers": "3,5-8"})) == {"row": "predicting", "layers": "3,5-8"}
    assert spec.parse({"layers": "3,5-8"}).layers == (3, 5, 6, 7, 8)
    assert get("raw_attention").spec.parse({"layer": "7"}).layer == 7
