"""Kept values stay within the budget, the newest first."""

from dataclasses import dataclass

import pytest

from medgemma_dash.core.kept import Kept


@dataclass
class Weight:
    bytes: int


def kept(budget: int) -> Kept[str, Weight]:
    return Kept(budget, lambda value: value.bytes)


def never():
    raise AssertionError("It was kept and need not be built.")


def test_the_least_recently_used_goes_first():
    cache = kept(100)
    a, b, c = Weight(40), Weight(40), Weight(40)
    cache.put("a", a)
    cache.put("b", b)
    assert cache.get_or_make("a", never) is a
    cache.put("c", c)
    assert cache.bytes == 80
    assert cache.get_or_make("a", never) is a
    assert cache.get_or_make("c", never) is c
    assert cache.get_or_make("b", lambda: b) is b
    assert len(cache) == 2


def test_the_newest_is_kept_even_when_it_alone_is_too_heavy():
    cache = kept(100)
    heavy = Weight(500)
    cache.put("light", Weight(10))
    cache.put("heavy", heavy)
    assert len(cache) == 1
    assert cache.get_or_make("heavy", never) is heavy


def test_putting_a_key_again_replaces_it():
    cache = kept(100)
    cache.put("a", Weight(60))
    cache.put("a", Weight(70))
    assert (len(cache), cache.bytes) == (1, 70)
    cache.clear()
    assert (len(cache), cache.bytes) == (0, 0)


def test_a_build_that_fails_keeps_nothing():
    cache = kept(100)
    with pytest.raises(AssertionError):
        cache.get_or_make("a", never)
    assert len(cache) == 0


def test_a_value_that_has_grown_sends_the_older_ones_away():
    cache = kept(100)
    old, grown = Weight(40), Weight(40)
    cache.put("old", old)
    cache.put("grown", grown)
    grown.bytes = 90
    cache.evict()
    assert cache.keys() == ("grown",)
    assert cache.get("old") is None
    cache.forget("grown")
    assert "grown" not in cache
