"""The measurement is right when the maps are known: here they are drawn, not computed."""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from medgemma_dash.core.answer import Answer, AnswerImage, Fidelity, Token
from medgemma_dash.core.errors import ModelError, ModelNotFoundError
from medgemma_dash.core.resources import resource
from medgemma_dash.demo.dialogues import answer_to
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.metrics.localisation import mask_coverage
from medgemma_dash.services.evaluation import grounding, known_answers
from medgemma_dash.services.evaluation.grounding import measure_grounding
from medgemma_dash.services.evaluation.grounding_table import (
    as_markdown,
    grounding_json,
    write_into_card,
)
from medgemma_dash.services.evaluation.known_answers import KINDS, word_map

GRID = (16, 16)
PROMPT = 260  # image tokens at 2..257, then a few of the question


draw = cache(synthesize)


@dataclass(frozen=True)
class StandIn:
    """Names a model; its answers and maps come from `Truth`."""

    name: str = "stand-in"
    revision: str = "0"


class Truth:
    """Answers as it is told to, and draws every token's map where it is told to."""

    def __init__(self, paint, wrong=lambda question, seed: False) -> None:
        self.paint, self.wrong = paint, wrong
        self.drawn = []

    def synthesize(self, seed):
        self.drawn.append(draw(seed))
        return self.drawn[-1]

    def ask(self, model, radiograph, question):
        truth = self.drawn[-1]
        text = answer_to(question, truth).answer
        if self.wrong(question, truth.seed):
            text = "I do not know."
        self.asked = next(one for one in truth.findings if one.name in question)
        return make_answer(text, radiograph, question)

    def relevancy_tensor(self, model, answer, *, method):
        assert method == "chefer"
        image = self.paint(self.asked).astype(np.float32)
        rows = np.zeros((len(answer.tokens), len(answer.input_ids)), np.float32)
        rows[:, 2:258] = image.ravel()
        return rows


def make_answer(text: str, radiograph, question: str) -> Answer:
    """Two characters a token, so that words fall across tokens."""
    pieces = [text[place : place + 2] for place in range(0, len(text), 2)]
    tokens = tuple(
        Token(index, index, piece, PROMPT + index, 1.0, special=False)
        for index, piece in enumerate(pieces)
    )
    return Answer(
        text=text, tokens=tokens, input_ids=np.zeros(PROMPT + len(pieces), np.int64),
        images=(AnswerImage(radiograph, (2, 258), GRID),),
        prompt=question, fidelity=Fidelity(True, (), 0.0),
        piece_texts=("",) * PROMPT + tuple(pieces),
        model_name="stand-in", model_revision="0", is_demo=False, forced=False,
        stopped="end of turn", seconds=0.0,
    )  # fmt: skip


@pytest.fixture
def measure(monkeypatch):
    def run(truth: Truth, count: int = 6):
        for name in ("synthesize", "ask"):
            monkeypatch.setattr(known_answers, name, getattr(truth, name))
        monkeypatch.setattr(grounding, "relevancy_tensor", truth.relevancy_tensor)
        return measure_grounding(StandIn(), count=count)

    return run


def on_lesion(finding):
    return mask_coverage(finding.mask, GRID)


def test_the_file_is_what_its_schema_says(measure):
    schema = json.loads(resource("docs", "schemas", "grounding-1.json").read_text("utf-8"))
    written = json.loads(grounding_json(measure(Truth(on_lesion))))
    Draft202012Validator(schema).validate(written)
    assert written.keys() == schema["properties"].keys()


def test_maps_on_the_lesion_score_one_and_beat_their_controls(measure):
    result = measure(Truth(on_lesion))
    assert (result.wrong_answers, result.average.hit.mean) == (0, 1.0)
    assert [score.name for score in result.kinds] == list(KINDS)
    assert result.average.random.mean < 0.5
    assert 0 < result.average.energy.mean <= 1


def test_maps_off_the_lesion_score_nothing(measure):
    corner = np.zeros(GRID)
    corner[15, 0] = 1  # below the lungs
    result = measure(Truth(lambda finding: corner))
    assert result.average.hit.mean < 0.2
    assert result.average.energy.mean < 0.05


def test_wrong_answers_are_left_out_and_beside_that_counted_as_misses(measure):
    wrong_seeds = [FIRST_EVALUATION_SEED + offset for offset in range(0, 100, 2)]
    result = measure(Truth(on_lesion, lambda question, seed: seed in wrong_seeds), count=8)
    assert 0 < result.wrong_answers < result.answers
    assert result.average.hit.mean == 1.0
    assert result.average.hit_or_wrong.mean < 1.0


def test_without_a_right_answer_there_is_no_figure(measure):
    with pytest.raises(ModelError, match="none of"):
        measure(Truth(on_lesion, lambda question, seed: True), count=2)


def test_seeds_without_a_finding_are_passed_over_and_the_range_is_stated(measure):
    truth = Truth(on_lesion)
    result = measure(truth)
    with_finding = [one.seed for one in truth.drawn if one.findings]
    assert result.first_seed == FIRST_EVALUATION_SEED
    assert result.last_seed == with_finding[-1]
    assert result.radiographs == len({one.seed for one in result.observations}) == 6


def test_the_heart_counts_for_presence_and_finding_only(measure):
    result = measure(Truth(on_lesion), count=12)
    kinds = {one.kind for one in result.observations if one.finding == "cardiomegaly"}
    assert kinds == {"presence", "finding"}


def test_a_words_map_is_the_mean_of_the_tokens_it_touches_and_no_others():
    xray = load_radiograph(Image.fromarray(np.zeros((32, 32), np.uint8)))
    answer = make_answer("Yes, on", xray, "?")  # tokens: "Ye" "s," " o" "n"
    rows = np.zeros((4, 264), np.float32)
    rows[:, 2:258] = np.array([1, 3, 10, 100], np.float32)[:, None]
    assert word_map(answer, rows, 0, 3) == pytest.approx(np.full(GRID, 2))
    assert word_map(answer, rows, 5, 7) == pytest.approx(np.full(GRID, 55))


def test_the_table_names_its_seeds_controls_and_intervals(measure):
    table = as_markdown(measure(Truth(on_lesion)))
    for fact in ("10000000 to", "10 random maps", "centre prior", "| average |", "| side |", "95%"):
        assert fact in table


def test_the_card_gets_the_table_between_its_marks_and_keeps_the_rest(measure, tmp_path):
    result = measure(Truth(on_lesion))
    card = tmp_path / "README.md"
    card.write_text("before\n<!-- grounding -->\nold\n<!-- /grounding -->\nafter\n")
    write_into_card(result, card)
    write_into_card(result, card)
    text = card.read_text()
    assert text.startswith("before\n<!-- grounding -->\nGrounding of `chefer`")
    assert text.endswith("<!-- /grounding -->\nafter\n")
    assert text.count("| average |") == 1
    assert "old" not in text


@pytest.mark.parametrize("text", [None, "no marks"])
def test_a_card_without_marks_is_an_error(measure, tmp_path, text):
    card = tmp_path / "README.md"
    if text:
        card.write_text(text)
    with pytest.raises(ModelNotFoundError, match="train-demo"):
        write_into_card(measure(Truth(on_lesion)), card)
