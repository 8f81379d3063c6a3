"""Kept replays share the budget; what was evicted is built again."""

from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain
from tests.gemma3_factory import Shape, radiograph, random_adapter


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
