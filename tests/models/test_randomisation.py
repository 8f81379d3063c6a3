"""Random weights for a time: the model is afterwards what it was, to the bit, whatever happens."""

import pytest
import torch

from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.randomisation import PARTS, caches_aside, layer_count, randomised
from medgemma_dash.services.explaining.explain import explain
from tests.random_answers import case


@pytest.fixture
def found():
    return case("six layers, heads 8 on 4", vision_layers=2)


def weights(model):
    return {name: one.detach().clone() for name, one in model.hf_model.named_parameters()}


def changed(model, before):
    now = model.hf_model.named_parameters()
    return {name for name, one in now if not torch.equal(one, before[name])}


@pytest.mark.parametrize("part", PARTS)
def test_the_top_layers_alone_are_random_and_come_back_after_an_error(found, part):
    model = found.model
    before, map_before = weights(model), explain(model, found.answer, token=2)
    kept = replay_answer(model, found.answer)
    places = [one.data_ptr() for one in model.hf_model.parameters()]
    layers = layer_count(model, part)
    top = layers - 1
    inner = "language_model.layers" if part == "decoder" else "vision_tower.encoder.layers"
    wanted = {
        name
        for name in before
        if any(f"{inner}.{index}." in name for index in range(layers - top, layers))
    }

    def interrupted():
        with model.lock, randomised(model, part, top):
            assert changed(model, before) == wanted
            assert replay_answer(model, found.answer) is not kept
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not changed(model, before)
    assert [one.data_ptr() for one in model.hf_model.parameters()] == places
    assert replay_answer(model, found.answer) is kept
    # The graph that was kept meanwhile is still good, and gives what it gave.
    assert (explain(model, found.answer, token=2).row == map_before.row).all()


def test_an_interruption_while_weights_are_drawn_leaves_none_of_them(found, monkeypatch):
    before, drawn = weights(found.model), []
    from medgemma_dash.models import randomisation

    real = randomisation._drawn

    def interrupted(weight, generator):
        if len(drawn) == 5:
            raise MemoryError
        drawn.append(weight)
        return real(weight, generator)

    monkeypatch.setattr(randomisation, "_drawn", interrupted)
    with pytest.raises(MemoryError), randomised(found.model, "decoder", 2):
        pass
    assert len(drawn) == 5
    assert not changed(found.model, before)


def test_deeper_randomisation_goes_on_from_the_same_draw_with_mean_and_spread_kept(found):
    model, before = found.model, weights(found.model)
    with randomised(model, "decoder", 1, seed=7):
        shallow = weights(model)
    with randomised(model, "decoder", 3, seed=7):
        deep = weights(model)
    for name in (one for one in before if "language_model.layers.5." in one):
        assert torch.equal(shallow[name], deep[name])
        assert not torch.equal(shallow[name], before[name])
    name = next(one for one in before if "layers.5.mlp.down_proj" in one)
    assert deep[name].std().item() == pytest.approx(before[name].std().item(), rel=0.1)
    with randomised(model, "decoder", 1, seed=8):
        assert not torch.equal(weights(model)[name], shallow[name])


@pytest.mark.parametrize("top", [0, 7])
def test_layers_that_are_not_there_are_refused(found, top):
    with pytest.raises(ValueError, match="it has 6"), randomised(found.model, "decoder", top):
        pass


def test_what_is_computed_aside_is_forgotten_and_what_was_kept_remains(found):
    model = found.model
    replay = replay_answer(model, found.answer)
    replays, features = model.replays, model.image_features
    before = features.keys()
    with caches_aside(model):
        assert len(model.replays) == len(model.image_features) == 0
        assert replay_answer(model, found.answer) is not replay
        assert model.replays.budget_bytes == replays.budget_bytes - replays.bytes
    assert model.replays is replays
    assert model.image_features is features
    assert features.keys() == before
