"""Numbers as a reader sees them."""

import pytest

from medgemma_dash.core.numbers import nats


@pytest.mark.parametrize(
    ("value", "said"), [(4.1499, "4.15"), (-0.00009, "0.00"), (-0.0, "0.00"), (-0.126, "-0.13")]
)
def test_what_rounds_to_nothing_has_no_sign(value, said):
    assert nats(value) == said
