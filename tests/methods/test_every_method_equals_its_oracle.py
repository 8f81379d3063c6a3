"""Every registered method against its slow rewrite in float64, `tests/oracles/<its name>.py`."""

from importlib import import_module

import numpy as np
import pytest

from medgemma_dash.core.target import Target
from medgemma_dash.methods import Method, available, get
from tests.methods.running import SIX, SLIDING, contrast, margin, phrase, rows, words
from tests.random_answers import SHAPES, Case, case

TOLERANCE = 1e-5  # float32 against float64: the acceptance's
ROUNDED = 1e-6  # of controls: float64 rounded to float32 once
PUSHED = "image pushed back by a text in front"
POOLED = "pooling 4, no stretched rotary"
FOUR = "heads 4 on 4, four soft tokens, sequence longer than the window"
MANY_RUNS = ("integrated_gradients", "occlusion")

# Numbers that are typed in place of a choice, and choices together that could get in each other's
# way; every single choice is added by `variants`.
MORE = {
    "raw_attention": (
        {"layer": "4", "heads": "3"},
        {"heads": "0"},
        {"layer": "first", "heads": "max"},
    ),
    "direct_attention": ({"layers": "0,2-4"}, {"row": "own", "layers": "global"}),
    "text_to_image_attention": ({"layers": "4"}, {"rows": "3", "layers": "last three"}),
    "chefer": ({"heads": "max", "words": "summed logits"},),
    "legrad": ({"form": "final logit", "words": "summed logits"},),
    "gradcam": ({"layer": "first", "words": "sum of log-probabilities"},),
    "integrated_gradients": ({"baseline": "mean token", "words": "summed logits"},),
}


def variants(name: str) -> list[dict[str, str]]:
    """Every choice of every option but the defaults, and MORE."""
    options = get(name).spec.options
    single = [{option.name: choice} for option in options for choice in option.choices[1:]]
    return [*single, *MORE.get(name, ())]


def cases() -> list:
    """Defaults on every shape, with a recomputed graph and with two images; variants on two."""
    found = []
    for spec in available():
        chosen = [(shape, {}, {}) for shape in SHAPES]
        chosen += [(SLIDING, {}, {"keeps_graph": False}), (PUSHED, {}, {"images": 2})]
        for given in variants(spec.name):
            chosen += [(shape, given, {}) for shape in (SIX, second_shape(spec.name, given))]
        for shape, given, asked in chosen:
            name = "-".join([spec.name, ", ".join(given.values()) or "default", *asked, shape])
            found.append(pytest.param(spec.name, shape, given, asked, id=name))
    return found


def second_shape(name: str, given: dict[str, str]) -> str:
    """Sliding layers that do not reach the image; a small model for what runs it many times."""
    if name not in MANY_RUNS:
        return FOUR
    # In one layer the norm takes away the length, and with it all that a path from zeros changes.
    return POOLED if given.get("baseline") == "zeros" else "one layer"


def targets_for(method: Method, found: Case, given: dict[str, str]) -> list[Target]:
    """First, middle and last word; a contrast, a margin and a phrase where the method has them.

    Fewer where options are compared, or where the oracle runs the decoder for each.
    """
    few = bool(given) or method.spec.name in MANY_RUNS
    last = len(found.answer.tokens) - 1
    targets = words(last) if few else words(0, 3, last)
    if method.spec.contrastive:
        targets += [margin(found)] if given else [contrast(found, 2), margin(found)]
    if given.get("words", "mean of maps") != "mean of maps":
        targets.append(phrase(1, 2, 3))
    return targets


def equals_its_oracle(method: Method, found: Case, given: dict[str, str]) -> None:
    """All targets in one call, each row within the tolerance of the oracle's largest value.

    Or of what the oracle's `scale` says that float32 rounds, where signs cancel.
    """
    oracle = import_module(f"tests.oracles.{method.spec.name}")
    tolerance = ROUNDED if method.spec.family == "control" else TOLERANCE
    targets, options = targets_for(method, found, given), method.spec.parse(given)
    wanted = oracle.oracle(found, targets, options)
    assert wanted.dtype == np.float64
    scales = np.abs(wanted).max(1)
    if hasattr(oracle, "scale"):
        scales = np.maximum(scales, oracle.scale(found, targets, options))
    got = rows(method, found, targets, **given)
    assert got.shape == wanted.shape
    for target, row, truth, scale in zip(targets, got, wanted, scales, strict=True):
        if scale == 0:  # nothing is in reach of the layers that are looked at
            assert not row.any(), target
        else:
            assert np.abs(row - truth).max() < tolerance * scale, target


@pytest.mark.parametrize(("name", "shape", "given", "asked"), cases())
def test_every_method_equals_its_oracle(name, shape, given, asked):
    method = get(name)
    of_tower = 3 if method.spec.family == "vision tower" else 1
    found = case(shape, vision_layers=of_tower, **asked)
    equals_its_oracle(method, found, given)


def test_every_typed_number_is_compared():
    for spec in available():
        for option in spec.options:
            given = [one[option.name] for one in variants(spec.name) if option.name in one]
            typed = [text for text in given if text not in option.choices]
            assert bool(typed) == (option.numbers is not None), (spec.name, option.name)
