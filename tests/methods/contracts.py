"""What holds of every method, whoever wrote it: plain functions that raise AssertionError.

Each takes a method and a case. Relevance is compared to 1e-5 of the largest value: batches and
single targets are summed in another order.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
import pytest
import torch

from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.target import Target
from medgemma_dash.methods import Method
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.run import run_method
from tests.gemma3_factory import radiograph
from tests.methods.running import contrast, margin, rows, run, words
from tests.models.test_restoring import InterruptAt, Interrupted, state
from tests.random_answers import FORCED, QUESTION, Case

TOLERANCE = 1e-5
MOST_PLACES = 5


def is_zero_from_the_predicting_position_on(method: Method, found: Case) -> None:
    """A word cannot have been chosen by what was said after it, nor by itself."""
    tokens = found.answer.tokens
    every = rows(method, found, words(*range(len(tokens))))
    assert every.shape == (len(tokens), len(found.answer.input_ids))
    assert every.dtype == np.float32
    for token, row in zip(tokens, every, strict=True):
        assert not row[token.position - 1 :].any()
    assert every.any()


def is_finite(method: Method, found: Case) -> None:
    """No word has a number that is none; patches and gaps neither."""
    result = run(method, found, words(0, 1, 2))
    for numbers in (result.rows, *result.fine, [] if result.gaps is None else result.gaps):
        assert np.isfinite(numbers).all()
    for image, fine in zip(found.answer.images, result.fine, strict=bool(result.fine)):
        assert fine.shape[0] == 3
        assert fine.shape[1] >= image.grid[0]


def is_negative_only_where_it_says_so(method: Method, found: Case) -> None:
    """A signed method has evidence against a word, an unsigned one has none."""
    every = rows(method, found, words(*range(len(found.answer.tokens))))
    assert (every.min() < 0) == method.spec.signed
    assert every.max() > 0


def gives_a_batch_what_it_gives_one_by_one(method: Method, found: Case) -> None:
    """In any order, and a target more than once."""
    targets = words(4, 0, 1, 4)
    if method.spec.contrastive:
        targets += [contrast(found, 1), margin(found)]
    together = run(method, found, targets)
    for index, target in enumerate(targets):
        alone = run(method, found, [target])
        _same(together.rows[index], alone.rows[0])
        assert (together.gaps is None) == (alone.gaps is None)
        if alone.gaps is not None:
            assert together.gaps[index] == pytest.approx(alone.gaps[0], abs=TOLERANCE)
        for many, one in zip(together.fine, alone.fine, strict=True):
            _same(many[index], one[0])


def gives_the_same_again(method: Method, found: Case) -> None:
    """To the bit, with nothing kept of the image; whatever the caller's gradient mode."""
    first = run(method, found, words(1, 2))
    found.model.image_features.clear()
    for mode in (torch.enable_grad, torch.no_grad, torch.inference_mode):
        with mode():
            again = run(method, found, words(1, 2))
        assert (again.rows == first.rows).all()
        assert all((a == b).all() for a, b in zip(again.fine, first.fine, strict=True))


def tells_words_apart_or_says_that_it_does_not(method: Method, found: Case) -> None:
    """Where both words may look: what follows the earlier one differs in any case."""
    first, second = found.answer.tokens[1], found.answer.tokens[4]
    one, other = rows(method, found, words(first.index, second.index))
    both = slice(first.position - 1)
    if method.spec.per_token:
        assert np.abs(one[both] - other[both]).max() > 0.01 * np.abs(one).max()
    else:
        assert (one == other).all()


def knows_contrasts_or_refuses_them(method: Method, found: Case) -> None:
    """One token against another and a margin are other questions than the token alone."""
    targets = [contrast(found, 0), margin(found)]
    if not method.spec.contrastive:
        options = method.spec.option_values({})
        for target in targets:
            with pytest.raises(TargetError, match="cannot explain"):
                run_method(found.model, found.answer, [target], method, options)
        return
    alone, *others = rows(method, found, [*words(0), *targets])
    for row in others:
        assert np.abs(row - alone).max() > 0.01 * np.abs(alone).max()
    assert np.abs(others[0] - others[1]).max() > 0.01 * np.abs(alone).max()


def depends_on_the_image_unless_it_is_a_control(method: Method, found: Case) -> None:
    """The same words about another radiograph have another map; its shape, not its size."""
    answer = ask(found.model, radiograph(seed=77), QUESTION, force=FORCED)
    other = Case(found.model, answer, found.forward)
    ours, theirs = (rows(method, one, words(1, 3, 4))[:, one.cells] for one in (found, other))
    assert ours.any()
    assert theirs.any()
    ours, theirs = (one / np.abs(one).max() for one in (ours, theirs))
    if method.spec.family != "control":
        assert np.abs(ours - theirs).max() > 0.01
    elif not method.spec.per_token:
        assert (ours == theirs).all()


def leaves_the_model_as_it_was(method: Method, found: Case) -> None:
    """After it ends, wherever it is interrupted, and where a layer fails inside it."""
    model = found.model
    before, counter = _state(found), InterruptAt(None, Interrupted)
    model.image_features.clear()
    whole = rows(method, found, words(1, 2), counter)
    assert _state(found) == before
    assert counter.calls >= 1
    places = np.unique(np.linspace(0, counter.calls - 1, MOST_PLACES).astype(int))
    for place in places.tolist():
        model.image_features.clear()
        with pytest.raises(Interrupted):
            rows(method, found, words(1, 2), InterruptAt(place, Interrupted))
        assert _state(found) == before
    inner = model.hf_model.model
    for layers in (inner.language_model.layers, inner.vision_tower.encoder.layers):
        model.image_features.clear()
        # A method that runs no layer just ends.
        with _failing(layers[-1].mlp), suppress(torch.OutOfMemoryError):
            rows(method, found, words(1, 2))
        assert _state(found) == before
    assert (rows(method, found, words(1, 2)) == whole).all()


CONTRACTS = (
    is_zero_from_the_predicting_position_on,
    is_finite,
    is_negative_only_where_it_says_so,
    gives_a_batch_what_it_gives_one_by_one,
    gives_the_same_again,
    tells_words_apart_or_says_that_it_does_not,
    knows_contrasts_or_refuses_them,
    depends_on_the_image_unless_it_is_a_control,
    leaves_the_model_as_it_was,
)


def _same(found: np.ndarray, wanted: np.ndarray) -> None:
    assert np.abs(found - wanted).max() <= TOLERANCE * np.abs(wanted).max()


def _state(found: Case) -> tuple:
    """What a method could leave changed: the model, the budget, the replays, Chefer's map."""
    replays = found.model.replays
    chefer = rows("chefer", found, [Target("token", (1,), "")])
    return state(found.model), replays.budget_bytes, len(replays), chefer.tobytes()


@contextmanager
def _failing(module: torch.nn.Module) -> Iterator[None]:
    """As a lack of memory would, where no check stands."""

    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("no memory")

    hook = module.register_forward_hook(fail)
    try:
        yield
    finally:
        hook.remove()
