"""What holds of every registered method, whoever wrote it."""

from importlib.util import find_spec

import pytest

from medgemma_dash.methods import available, get
from tests.oracles import chefer_matrices

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
    own = find_spec(f"tests.oracles.{spec.name}")
    assert own or hasattr(chefer_matrices, spec.name), f"{spec.name} has no oracle."


@every_method
def test_every_option_says_what_its_choices_mean(spec):
    for control in spec.controls:
        assert len(set(control.choices)) == len(control.choices) > 1
        assert control.label.strip()
        assert control.help.strip()
        assert control.numbers is None or "type" in control.help
