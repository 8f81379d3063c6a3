"""The tests of all methods bite: what is wrong on purpose fails them."""

from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
import pytest
import torch

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods import MethodSpec, get, registry
from tests.methods import contracts
from tests.methods.running import SIX
from tests.methods.test_every_method_equals_its_oracle import equals_its_oracle
from tests.random_answers import case


@dataclass(frozen=True)
class Ones:
    """Says the same of every place."""

    spec: MethodSpec
    ends: bool = True

    def rows(self, call) -> Relevance:
        call.at()
        ones = torch.ones(len(call.targets), call.replay.sequence)
        return call.relevance(ones) if self.ends else Relevance(ones.numpy())


@dataclass(frozen=True)
class Scaled:
    """A registered method with a wrong constant factor."""

    spec: MethodSpec
    factor: float

    def rows(self, call) -> Relevance:
        found = get(self.spec.name).rows(call)
        return replace(found, rows=found.rows * np.float32(self.factor))


def failing(method, found) -> set[str]:
    """The contracts that the method breaks."""
    broken = set()
    for contract in contracts.CONTRACTS:
        try:
            contract(method, found)
        except (AssertionError, pytest.fail.Exception):
            broken.add(contract.__name__)
    return broken


@pytest.fixture
def ones_with_an_oracle(monkeypatch):
    """The method of ones, registered for the time, and an oracle of ones beside it."""
    spec = replace(get("rollout").spec, name="ones", title="Ones")
    method = Ones(spec)
    every = {one.name: get(one.name) for one in registry.available()} | {"ones": method}
    oracle = ModuleType("tests.oracles.ones")
    oracle.oracle = ones_before_the_prediction
    monkeypatch.setattr(registry, "_methods", lambda: every)
    monkeypatch.setitem(__import__("sys").modules, "tests.oracles.ones", oracle)
    return method


def ones_before_the_prediction(found, targets, _options) -> np.ndarray:
    places = np.arange(len(found.answer.input_ids))
    tokens = [found.answer.tokens[target.token_indices[0]] for target in targets]
    return np.array([places < token.position - 1 for token in tokens], np.float64)


def test_ones_pass_an_oracle_of_ones_and_fail_the_contracts(ones_with_an_oracle):
    found = case(SIX, vision_layers=3)
    assert get("ones") is ones_with_an_oracle
    equals_its_oracle(get("ones"), found, {})
    wanted = {
        "tells_words_apart_or_says_that_it_does_not",
        "depends_on_the_image_unless_it_is_a_control",
    }
    assert failing(get("ones"), found) == wanted
    # Nor does it help to claim that all words have one map, to know contrasts, or signs.
    for claim, broken in (
        ({"per_token": False}, wanted),
        ({"contrastive": True}, wanted | {"knows_contrasts_or_refuses_them"}),
        ({"signed": True}, wanted | {"is_negative_only_where_it_says_so"}),
    ):
        assert failing(Ones(replace(get("ones").spec, **claim)), found) == broken


def test_ones_that_do_not_end_fail_the_first_contract():
    found = case(SIX, vision_layers=3)
    method = Ones(replace(get("rollout").spec, name="ones"), ends=False)
    assert "is_zero_from_the_predicting_position_on" in failing(method, found)


@pytest.mark.parametrize("name", ["chefer", "occlusion", "raw_attention", "attnlrp"])
def test_a_wrong_constant_factor_fails_the_oracle(name):
    found = case("one layer")
    equals_its_oracle(Scaled(get(name).spec, 1.0), found, {})
    for factor in (2.0, -1.0, 1.0001):
        with pytest.raises(AssertionError):
            equals_its_oracle(Scaled(get(name).spec, factor), found, {})


def test_what_a_method_leaves_behind_fails_its_contract():
    found = case("one layer")

    @dataclass(frozen=True)
    class Careless:
        spec: MethodSpec

        def rows(self, call) -> Relevance:
            norm = call.model.hf_model.model.language_model.norm
            norm.forward = norm.forward
            return get("rollout").rows(call)

    try:
        with pytest.raises(AssertionError):
            contracts.leaves_the_model_as_it_was(Careless(get("rollout").spec), found)
    finally:
        del found.model.hf_model.model.language_model.norm.forward
