"""Whatever interrupts a computation, the model is as it was, and so is the next map."""

from hashlib import sha256

import pytest
import torch

from medgemma_dash.core.errors import CancelledError
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain, relevancy_tensor
from tests.gemma3_factory import Shape, radiograph, random_adapter
from tests.random_answers import QUESTION


class Interrupted(KeyboardInterrupt):
    """As Streamlit's rerun, no Exception."""


def state(model) -> tuple:
    """Everything that a computation could leave changed in the model."""
    hf_model = model.hf_model
    weights = sha256()
    for _, tensor in sorted(hf_model.state_dict().items()):
        weights.update(tensor.detach().cpu().numpy().tobytes())
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return (
        weights.hexdigest(),
        tuple(config._attn_implementation for config in every_config(hf_model)),
        tuple(module.training for module in hf_model.modules()),
        tuple(parameter.requires_grad for parameter in hf_model.parameters()),
        tuple(parameter.grad is None for parameter in hf_model.parameters()),
        sum(len(getattr(module, name)) for module in hf_model.modules() for name in hooks),
        tuple(vars(module).get("forward") for module in hf_model.modules()),
        torch.is_grad_enabled(),
        model.lock.acquire(blocking=False) and (model.lock.release() or True),
    )


def every_config(hf_model):
    return hf_model.config, hf_model.config.text_config, hf_model.config.vision_config


class InterruptAt:
    """A check that raises at its n-th call."""

    def __init__(self, place: int | None, error: type[BaseException]) -> None:
        self.place, self.error, self.calls = place, error, 0

    def __call__(self, *_) -> None:
        if self.calls == self.place:
            raise self.error("interrupted")
        self.calls += 1


@pytest.fixture(scope="module")
def model():
    return random_adapter(Shape(seed=8))


@pytest.fixture(scope="module")
def answer(model):
    return ask(model, radiograph(), QUESTION, max_new_tokens=3)


def generate(model, _answer, check):
    ask(model, radiograph(seed=5), "Where is it?", max_new_tokens=3, check=check)


def replay_and_click(model, answer, check):
    model.replays.clear()
    explain(model, answer, token=1, check=check)


def click(model, answer, check):
    explain(model, answer, token=1, check=check)


def click_with_recomputation(model, answer, check):
    model.replays.clear()
    before, model.replays.budget_bytes = model.replays.budget_bytes, 0
    try:
        explain(model, answer, token=1, heads="gradient-weighted", check=check)
    finally:
        model.replays.budget_bytes = before
        model.replays.clear()


def all_tokens(model, answer, check):
    relevancy_tensor(model, answer, check=check)


WORK = (generate, replay_and_click, click, click_with_recomputation, all_tokens)


@pytest.mark.parametrize("error", [CancelledError, Interrupted])
@pytest.mark.parametrize("work", WORK)
def test_an_interruption_anywhere_leaves_the_model_and_the_next_map_bit_identical(
    model, answer, work, error
):
    before = state(model)
    wanted = explain(model, answer, token=1)
    counter = InterruptAt(None, error)
    work(model, answer, counter)
    assert counter.calls >= 6  # once per layer at least
    for place in range(counter.calls):
        with pytest.raises(error):
            work(model, answer, InterruptAt(place, error))
        assert state(model) == before
    found = explain(model, answer, token=1)
    assert (found.row == wanted.row).all()
    assert (found.layers == wanted.layers).all()


@pytest.mark.parametrize("error", [CancelledError, Interrupted])
def test_an_interruption_by_a_listener_leaves_the_model_as_it_was(model, answer, error):
    before = state(model)
    for place in range(2):
        with pytest.raises(error):
            ask(model, radiograph(), "Why?", max_new_tokens=3, on_token=InterruptAt(place, error))
        assert state(model) == before
    with pytest.raises(error):
        relevancy_tensor(model, answer, progress=InterruptAt(0, error))
    assert state(model) == before


@pytest.mark.parametrize("budget", [None, 0])
def test_running_out_of_memory_in_the_middle_of_a_click_leaves_the_model_as_it_was(
    model, answer, budget, monkeypatch
):
    wanted = explain(model, answer, token=1)
    model.replays.clear()
    if budget is not None:
        monkeypatch.setattr(model.replays, "budget_bytes", budget)
    before = state(model)
    layer = model.hf_model.model.language_model.layers[3]

    def out_of_memory(*_arguments, **_named):
        raise torch.OutOfMemoryError("no memory")

    with monkeypatch.context() as patch:
        patch.setattr(layer.mlp, "forward", out_of_memory)
        with pytest.raises(torch.OutOfMemoryError):
            explain(model, answer, token=1)
    assert state(model)[:6] == before[:6]
    found = explain(model, answer, token=1)
    assert abs(found.row - wanted.row).max() < 1e-5 * wanted.row.max()
    model.replays.clear()


def test_asking_and_explaining_leave_the_model_as_it_was(model, answer):
    before = state(model)
    assert torch.is_grad_enabled()
    for work in WORK:
        work(model, answer, None)
        assert state(model) == before
    with torch.no_grad():
        inside = explain(model, answer, token=1)
        model.replays.clear()
        rebuilt = explain(model, answer, token=1)
    assert (inside.row == explain(model, answer, token=1).row).all()
    assert (inside.row == rebuilt.row).all()
