"""Targets are values: what they allow, and the way to plain data and back."""

import json
from dataclasses import asdict

import pytest

from medgemma_dash.core.target import Against, Margin, Target, target_from_dict

MARGIN = Margin((5, 9), (7,), "Yes", "No")
TARGETS = (
    Target("token", (3,), "clear"),
    Target("phrase", (3, 4), "clear lungs"),
    Target("token", (0,), "Yes", Against(7, "No")),
    Target("margin", (0,), "Yes or No", margin=MARGIN),
)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.text)
def test_a_target_comes_back_from_plain_data(target):
    assert target_from_dict(asdict(target)) == target
    assert target_from_dict(json.loads(json.dumps(asdict(target)))) == target


def test_contrasts_and_margins_are_differences_of_logits():
    assert [target.contrastive for target in TARGETS] == [False, False, True, True]


@pytest.mark.parametrize(
    ("yes", "no"), [((), (7,)), ((5,), ()), ((5, 7), (7,))], ids=["no yes", "no no", "shared"]
)
def test_a_side_of_a_margin_is_not_empty_and_has_tokens_of_its_own(yes, no):
    with pytest.raises(ValueError, match="Each side of a margin"):
        Margin(yes, no, "Yes", "No")


def test_a_margin_stands_at_the_first_place_in_a_target_of_its_kind():
    with pytest.raises(ValueError, match="if and only if"):
        Target("token", (0,), "", margin=MARGIN)
    with pytest.raises(ValueError, match="if and only if"):
        Target("margin", (0,), "")
    with pytest.raises(ValueError, match="first place"):
        Target("margin", (1,), "", margin=MARGIN)
    with pytest.raises(ValueError, match="first place"):
        Target("margin", (0,), "", Against(7, "No"), MARGIN)
