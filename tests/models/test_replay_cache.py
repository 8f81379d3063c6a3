"""Kept replays stay within the budget, the newest first; what was evicted is built again."""

from dataclasses import dataclass

import pytest

from medgemma_dash.core.kept import ReplayCache
from medgemma_dash.models.generation import replay_answer
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain
from tests.gemma3_factory import Shape, radiograph, random_adapter


@dataclass
class Weight:
    bytes: int


def never():
    raise AssertionError("It was kept and need not be built.")


def test_the_least_recently_used_goes_first():
    cache = ReplayCache(100)
    a, b, c = Weight(40), Weight(40), Weight(40)
    cache.put("a", a)
    cache.put("b", b)
    assert cache.get("a", never) is a
    cache.put("c", c)
    assert cache.bytes == 80
    assert cache.get("a", never) is a
    assert cache.get("c", never) is c
    assert cache.get("b", lambda: b) is b
    assert len(cache) == 2


def test_the_newest_is_kept_even_when_it_alone_is_too_heavy():
    cache = ReplayCache(100)
    heavy = Weight(500)
    cache.put("light", Weight(10))
    cache.put("heavy", heavy)
    assert len(cache) == 1
    assert cache.get("heavy", never) is heavy


def test_putting_a_key_again_replaces_it():
    cache = ReplayCache(100)
    cache.put("a", Weight(60))
    cache.put("a", Weight(70))
    assert (len(cache), cache.bytes) == (1, 70)
    cache.clear()
    assert (len(cache), cache.bytes) == (0, 0)


def test_a_build_that_fails_keeps_nothing():
    cache = ReplayCache(100)
    with pytest.raises(AssertionError):
        cache.get("a", never)
    assert len(cache) == 0


def test_answers_share_the_budget_and_an_evicted_one_gives_the_same_map():
    model = random_adapter(Shape())
    first = ask(model, radiograph(), "Is there pneumonia?", force="Yes")
    wanted = explain(model, first, token=0)
    one = model.replays.bytes
    assert one > 0
    model.replays.budget_bytes = int(1.5 * one)
    for number in range(3):
        ask(model, radiograph(number), "Where?", force="Yes")
        assert model.replays.bytes <= model.replays.budget_bytes
        assert len(model.replays) == 1
    assert (explain(model, first, token=0).row == wanted.row).all()


def test_a_kept_graph_counts_its_bytes_and_one_over_budget_is_not_kept():
    model = random_adapter(Shape())
    answer = ask(model, radiograph(), "Is there pneumonia?", force="Yes")
    replay = replay_answer(model, answer)
    assert replay.keeps_graph
    hidden_states = len(replay.pieces) * replay.sequence * model.layout.hidden_size * 4
    assert replay.bytes > 5 * hidden_states  # a layer saves many tensors of its input's size
    model.replays.clear()
    model.replays.budget_bytes = replay.graph_bytes - 1
    assert not replay_answer(model, answer).keeps_graph
    model.replays.clear()
    model.replays.budget_bytes = replay.graph_bytes
    assert replay_answer(model, answer).keeps_graph
    model.drop_caches()
    assert len(model.replays) == len(model.image_features) == 0
