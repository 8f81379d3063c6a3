"""Exports carry every number exactly, and say what they are."""

import csv
import io
import json
import re
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image

from medgemma_dash import ask, load_radiograph
from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.radiograph import Window
from medgemma_dash.core.resources import resource
from medgemma_dash.core.target import Against, Margin, Target, target_from_dict
from medgemma_dash.core.words import WordRelevance
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.exporting import (
    DEMO_NOTICE,
    RESEARCH_NOTICE,
    download_name,
    explanation_json,
    numbers_csv,
    overlay_png,
    relevancy_npz,
)
from medgemma_dash.services.exporting.subject import film_name, rendered_prompt
from tests.services.makers import (
    ZONES,
    make_answer,
    make_answer_of_two,
    make_explanation,
    make_provenance,
    make_radiograph,
    make_target,
)

PICTURE = np.full((8, 12, 3), 90, np.uint8)


@pytest.fixture
def answer() -> Answer:
    return make_answer()


@pytest.fixture
def explanation(answer: Answer) -> Explanation:
    return make_explanation(answer, make_target(answer, 2))


def test_json_gives_back_the_same_float32_numbers(answer: Answer, explanation: Explanation) -> None:
    document = json.loads(explanation_json(explanation, answer, ZONES))
    assert document["schema_version"] == 1
    assert document["notices"] == [RESEARCH_NOTICE, DEMO_NOTICE]
    for name, found in (
        ("image", document["map"]["values"]),
        ("row", document["row"]),
        ("layers", document["layers"]),
    ):
        assert np.array_equal(np.asarray(found, np.float32), getattr(explanation, name))
    assert document["target"] == {
        "kind": "token",
        "token_indices": [2],
        "text": " left",
        "against": None,
    }
    assert document["zones"]["right_left_ratio"] is None
    assert document["answer"]["tokens"][2]["probability"] == 0.9
    assert document["provenance"]["token_ids"] == answer.input_ids.tolist()


def test_what_only_some_explanations_have_stands_in_files_of_those_alone(
    answer: Answer, explanation: Explanation
) -> None:
    plain = json.loads(explanation_json(explanation, answer))
    two = make_answer_of_two()
    margin = Margin((4,), (7, 9), "Yes", "No")
    target = Target("margin", (0,), "Yes rather than No", margin=margin)
    fine = tuple(np.random.default_rng(n).random((4, 6)).astype(np.float32) for n in range(2))
    given = replace(make_explanation(two, target), fine_images=fine)
    full = json.loads(explanation_json(given, two))
    assert full.keys() - plain.keys() == {"maps"}
    assert full["maps"][1] == full["map"]
    for image, patches, found in zip(given.images, fine, full["maps"], strict=True):
        assert np.array_equal(np.asarray(found["values"], np.float32), image)
        assert np.array_equal(np.asarray(found["fine"]["values"], np.float32), patches)
    assert target_from_dict(full["target"]) == target
    assert full["provenance"].keys() - plain["provenance"].keys() == {"earlier_images"}
    (earlier,) = full["provenance"]["earlier_images"]
    assert earlier["sha256"] == two.images[0].radiograph.sha256
    assert tuple(earlier["span"]) == two.images[0].span
    assert "fine" not in plain["map"]
    assert download_name(given, "json").endswith("-chefer-margin-4-7.json")


def test_npz_has_all_images_and_their_patches() -> None:
    two = make_answer_of_two()
    tokens = len(two.tokens)
    rows = np.zeros((tokens, len(two.input_ids)), np.float32)
    fine = [np.full((tokens, 4, 6), value, np.float32) for value in (1, 2)]
    found = np.load(io.BytesIO(relevancy_npz(two, rows, make_provenance(two), fine=fine)))
    assert np.array_equal(found["fine_0"], fine[0])
    assert np.array_equal(found["fine"], fine[1])
    assert [tuple(span) for span in found["image_spans"]] == [one.span for one in two.images]
    assert [tuple(grid) for grid in found["grids"]] == [one.grid for one in two.images]
    one = make_answer()
    rows = np.zeros((len(one.tokens), len(one.input_ids)), np.float32)
    alone = np.load(io.BytesIO(relevancy_npz(one, rows, make_provenance(one))))
    assert {"fine", "image_spans", "grids"}.isdisjoint(alone.files)


def test_cells_of_several_images_say_which_they_are_of(explanation: Explanation) -> None:
    two = make_answer_of_two()
    given = make_explanation(two, make_target(two, 2))
    lines = list(csv.DictReader(io.StringIO(numbers_csv(given))))
    for name, image in zip(("image 1 of 2", "image 2 of 2"), given.images, strict=True):
        found = [
            line["value"] for line in lines if (line["table"], line["item"]) == ("cells", name)
        ]
        assert np.array_equal(np.asarray(found, np.float32), image.ravel())
    alone = csv.DictReader(io.StringIO(numbers_csv(explanation)))
    assert {line["item"] for line in alone if line["table"] == "cells"} == {""}


def test_a_picture_says_which_radiographs_it_shows() -> None:
    two = make_answer_of_two()
    given = make_explanation(two, make_target(two, 2))
    digests = given.provenance.image_sha256s
    for image, told in ((None, ", ".join(digests)), (0, digests[0]), (1, digests[1])):
        with Image.open(io.BytesIO(overlay_png(PICTURE, given, image))) as picture:
            assert picture.text["Source"] == f"sha256 {told}"


def test_json_has_null_where_a_number_is_not_finite(
    answer: Answer, explanation: Explanation
) -> None:
    layers = np.asarray([np.nan, np.inf, 0.5, 1], np.float32)
    document = json.loads(explanation_json(replace(explanation, layers=layers), answer))
    assert document["layers"] == [None, None, 0.5, 1]


def test_npz_gives_back_the_tensor_bit_for_bit_without_pickle(answer: Answer) -> None:
    shape = (len(answer.tokens), len(answer.input_ids))
    relevancy = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    relevancy[0, :3] = [np.nan, -0.0, np.float32(1e-42)]
    filled = np.array([True, True, False, True, False])
    written = relevancy_npz(answer, relevancy, make_provenance(answer), filled)
    found = np.load(io.BytesIO(written), allow_pickle=False)
    assert found["relevancy"].dtype == np.float32
    assert found["relevancy"].tobytes() == relevancy.tobytes()
    assert np.array_equal(found["filled"], filled)
    assert tuple(found["image_span"]) == answer.image_span
    assert tuple(found["grid"]) == answer.grid
    assert found["token_texts"].tolist() == [token.text for token in answer.tokens]
    assert found["token_ids"].tolist() == [token.id for token in answer.tokens]
    assert json.loads(str(found["provenance"]))["image_sha256"] == answer.radiograph.sha256
    assert found["notices"].tolist() == [RESEARCH_NOTICE, DEMO_NOTICE]
    assert relevancy_npz(answer, relevancy, make_provenance(answer), filled) == written


def test_npz_refuses_a_tensor_of_another_answer(answer: Answer) -> None:
    with pytest.raises(ValueError, match=re.escape("(5, 14)")):
        relevancy_npz(answer, np.zeros((2, 3), np.float32), make_provenance(answer))


def test_csv_holds_every_number_in_long_form(explanation: Explanation) -> None:
    text = numbers_csv(explanation, ZONES, [WordRelevance("Fluid?", 0.5, "question")])
    rows = list(csv.DictReader(io.StringIO(text)))
    cells = [row for row in rows if row["table"] == "cells"]
    values = np.asarray([row["value"] for row in cells], np.float32)
    assert np.array_equal(values, explanation.image.ravel())
    assert (cells[4]["row"], cells[4]["column"]) == ("1", "1")
    layers = [row["value"] for row in rows if row["table"] == "layers"]
    assert np.array_equal(np.asarray(layers, np.float32), explanation.layers)
    ratio = next(row for row in rows if row["measure"] == "ratio")
    assert ratio["value"] == ""
    mean = next(r for r in rows if r["item"] == "Left lower" and r["measure"] == "mean")
    assert mean["value"] == "-0.02"
    assert any(row["item"] == RESEARCH_NOTICE for row in rows)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", "  =", "＝"])
def test_csv_texts_cannot_become_formulas(explanation: Explanation, start: str) -> None:
    hostile = WordRelevance(f'{start}cmd|" /C calc"!A0', 0.5, "question")
    rows = list(csv.reader(io.StringIO(numbers_csv(explanation, None, [hostile]))))
    (item,) = [row[1] for row in rows if row[0] == "words"]
    assert item == "'" + hostile.text


def test_png_is_the_picture_and_says_what_it_is(explanation: Explanation) -> None:
    with Image.open(io.BytesIO(overlay_png(PICTURE, explanation))) as image:
        image.load()
        assert np.array_equal(np.asarray(image), PICTURE)
        assert image.info["Comment"] == f"{RESEARCH_NOTICE} {DEMO_NOTICE}"


def test_names_of_downloads_tell_nothing_about_the_user(answer: Answer) -> None:
    digest = answer.radiograph.sha256[:12]
    one = make_explanation(answer, make_target(answer, 2))
    many = make_explanation(answer, make_target(answer, 0, 1, 2))
    every = make_explanation(answer, make_target(answer, 0, 1, kind="answer"))
    contrast = make_explanation(answer, make_target(answer, 0, against=Against(7, "../No")))
    assert download_name(one, "png") == f"{digest}-chefer-token-2.png"
    assert download_name(many, ".npz") == f"{digest}-chefer-tokens-0-2.npz"
    assert download_name(every, "html") == f"{digest}-chefer-answer.html"
    assert download_name(contrast, "json") == f"{digest}-chefer-token-0-against-7.json"


def test_exports_hold_neither_tags_nor_the_path_of_a_model_folder() -> None:
    answer = make_answer(model_name="/home/someone/models/medgemma")
    explanation = make_explanation(answer, make_target(answer, 0))
    relevancy = np.zeros((len(answer.tokens), len(answer.input_ids)), np.float32)
    arrays = np.load(io.BytesIO(relevancy_npz(answer, relevancy, explanation.provenance)))
    for text in (
        explanation_json(explanation, answer),
        numbers_csv(explanation),
        str(arrays["provenance"]),
    ):
        assert "someone" not in text
        assert "secret maker" not in text
    assert json.loads(str(arrays["provenance"]))["model_name"] == "medgemma"


def test_every_line_of_a_table_says_what_it_is_of(explanation: Explanation) -> None:
    two = make_answer_of_two("=Fluid?")
    given = make_explanation(two, make_target(two, 2))
    digests = [image.radiograph.sha256 for image in two.images]
    lines = list(csv.DictReader(io.StringIO(numbers_csv(given, ZONES, (), ("Before", "Now")))))
    assert list(lines[0])[:6] == ["table", "item", "row", "column", "measure", "value"]
    for line in lines:
        said = [line[name] for name in ("question", "word", "method", "model", "model_revision")]
        assert said == ["'=Fluid?", "left", "chefer", "demo", "abc123"]
    assert {
        (line["table"], line["item"], line["film"], line["image_sha256"])
        for line in lines
        if line["table"] in ("cells", "layers") and line["item"] in ("image 1 of 2", "0")
    } == {
        ("cells", "image 1 of 2", "Before", digests[0]),
        ("layers", "0", "Before; Now", " ".join(digests)),
    }
    zones = {(line["film"], line["image_sha256"]) for line in lines if line["table"] == "zones"}
    assert zones == {("Now", digests[1])}


def test_films_are_named_by_title_or_size_and_never_by_file() -> None:
    film = make_radiograph()
    told = f"30 x 20, sha256 {film.sha256[:8]}…"
    assert film_name(film) == f"Film, {told}"
    assert film_name(film, uploaded=True) == f"Uploaded film, {told}"
    sample = resource("assets", "samples", "no-finding.png")
    shipped = replace(film, sha256=sha256(sample.read_bytes()).hexdigest())
    assert film_name(shipped, uploaded=True) == "No finding"


def test_the_prompt_is_as_the_template_made_it_with_images_folded(
    demo_model: VisionLanguageModel,
) -> None:
    films = [load_radiograph(Image.new("L", (64, 64), shade)) for shade in (60, 120)]
    answer = ask(demo_model, films, "Fluid?", force="No.")
    rows, cols = answer.grid
    tokens = [f"⟨{rows * cols} image tokens of image {number}⟩" for number in (1, 2)]
    told = rendered_prompt(answer)
    assert [told.index(one) for one in tokens] == sorted(told.index(one) for one in tokens)
    decoded = demo_model.processor.tokenizer.decode(answer.input_ids[: answer.prompt_length])
    soft = demo_model.processor.tokenizer.decode([answer.input_ids[answer.image_span[0]]]) * (
        rows * cols
    )
    for one in tokens:
        told = told.replace(one, soft)
    assert told == decoded


def test_a_document_holds_the_window_that_each_film_had() -> None:
    two = make_answer_of_two()
    given = make_explanation(two, make_target(two, 2))
    own = Window("Own", 1.5, 2.0, exact=True)
    document = json.loads(explanation_json(given, two, films=("Before", "Now"), shown_window=own))
    before, now = document["films"]
    assert before["window"] == {"name": "all", "centre": 128.0, "width": 256.0, "exact": False}
    assert before["shown_window"] is None
    assert now["shown_window"] == {"name": "Own", "centre": 1.5, "width": 2.0, "exact": True}
    assert [before["name"], now["name"]] == ["Before", "Now"]
    assert (document["question"], document["word"]) == ("Fluid?", "left")
