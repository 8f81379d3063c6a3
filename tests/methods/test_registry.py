"""What holds of every registered method, whoever wrote it."""

from dataclasses import fields
from importlib import import_module

import pytest
from jaxtyping import TypeCheckError

from medgemma_dash.core.errors import MethodError
from medgemma_dash.methods import available, get

every_method = pytest.mark.parametrize("spec", available(), ids=lambda spec: spec.name)


@every_method
def test_every_method_describes_itself(spec):
    assert spec.title.strip()
    assert spec.card.strip()
    assert spec.formula.strip()
    assert spec.source.strip()
    assert spec.family == "control" or "20" in spec.source  # a year
    assert spec.cost
    assert spec.needs.strip()
    assert (spec.needs == "nothing") == (spec.family == "control")
    assert ("vision tower" in spec.needs) >= (spec.family == "vision tower")
    assert ("attention" in spec.needs) >= (spec.family == "attention")
    assert get(spec.name).spec is spec


@every_method
def test_every_method_has_an_oracle(spec):
    assert callable(import_module(f"tests.oracles.{spec.name}").oracle)


@every_method
def test_every_option_says_what_its_choices_mean_and_is_a_field_of_the_typed_options(spec):
    assert [option.name for option in spec.options] == [one.name for one in fields(spec.parse({}))]
    for option in spec.options:
        assert len(set(option.choices)) == len(option.choices) > 1
        assert option.label.strip()
        assert option.help.strip()
        assert option.numbers is None or "type" in option.help
        for choice in option.choices:  # types are checked while tests run
            spec.parse({option.name: choice})
    assert spec.parse({}) == spec.options_type()


def test_options_of_another_type_are_refused_while_tests_run():
    with pytest.raises(TypeCheckError):
        get("chefer").spec.options_type(heads="median")


@every_method
def test_what_a_method_does_not_offer_is_refused_with_what_it_does(spec):
    with pytest.raises(MethodError, match=f"{spec.name} has no option 'colour'. Options: "):
        spec.parse({"colour": "red"})
    for option in spec.options:
        with pytest.raises(MethodError, match=f"{option.name} is 'red'. Allowed: "):
            spec.option_values({option.name: "red"})
