"""Phrasings and changed images, against the hand-written decoder in float64 and scipy."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import spearmanr

from medgemma_dash import ask, explain, prompt_sensitivity, read_record
from medgemma_dash.core.errors import (
    CancelledError,
    ImageError,
    MethodError,
    NoExplanationError,
    PromptError,
    ResultFileError,
)
from medgemma_dash.core.resources import resource
from medgemma_dash.core.target import Margin, Target
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.imaging.perturbations import perturbed, read_perturbation
from medgemma_dash.methods import get
from medgemma_dash.methods.chefer import Chefer
from medgemma_dash.metrics.agreement import divergence_in_words
from medgemma_dash.metrics.agreement_controls import judged_agreement
from medgemma_dash.services.prompts.grid import prompt_grid
from medgemma_dash.services.prompts.reading import (
    answers_line,
    divergence_line,
    overlap_line,
    summary_lines,
    undecided_lines,
)
from medgemma_dash.services.prompts.run import prompts_plan, prompts_steps
from medgemma_dash.services.prompts.tables import tables_of
from tests.oracles import chefer
from tests.random_answers import Case, case, full_forward, relative_difference

SIX = "six layers, heads 8 on 4"
VARIANTS = {"shorter": "Pneumonia?", "longer": "Is there any evidence of pneumonia here?"}
QUESTION = "Is there pneumonia?"


def one_token(tokenizer, word):
    """Ids of the spellings of a word that are one token."""
    texts = [f"{space}{form}" for space in ("", " ")
             for form in (word.capitalize(), word.lower(), word.upper())]  # fmt: skip
    every = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    return tuple(sorted({ids[0] for ids in every if len(ids) == 1}))


def asked_about(model, film, prompt):
    answer = ask(model, film, prompt, max_new_tokens=3)
    return Case(model, answer, full_forward(model, answer))


@pytest.fixture(scope="module")
def found():
    return case(SIX)


@pytest.fixture(scope="module")
def record(found):
    return prompt_sensitivity(
        found.model,
        found.answer.radiograph,
        QUESTION,
        VARIANTS,
        ("noise=30", "rotation"),
        max_new_tokens=3,
        seed=5,
    )


def test_every_prompt_is_asked_about_every_image(record):
    table = record.tables["prompts"]
    images = ["none", "noise 30", "rotation 5"]
    prompts = [("baseline", QUESTION), *VARIANTS.items()]
    rows = list(zip(table["perturbation"], table["strategy"], table["prompt"], strict=True))
    assert rows == [(image, *prompt) for image in images for prompt in prompts]
    assert table["name"].is_unique
    assert list(record.maps) == table["map"].tolist() == table["name"].tolist()
    assert record.provenance.images == (record.plan["image_sha256"],)


def test_decision_and_map_are_what_the_decoder_by_definition_gives(found, record):
    film, tokenizer = found.answer.radiograph, found.model.processor.tokenizer
    yes, no = one_token(tokenizer, "yes"), one_token(tokenizer, "no")
    assert yes
    assert no
    target = Target("margin", (0,), "", margin=Margin(yes, no, "Yes", "No"))
    options = get("chefer").spec.parse({})
    for row in record.tables["prompts"].itertuples():
        shown = film
        if row.perturbation != "none":
            shown = perturbed(film, read_perturbation(row.perturbation), 5)
        one = asked_about(found.model, shown, row.prompt)
        logits = one.forward.logits.detach()[one.answer.prompt_length - 1].numpy()
        p = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        assert row.answer == one.answer.text
        # Float32 against float64.
        assert row.probability_yes == pytest.approx(p[list(yes)].sum(), rel=1e-4)
        assert row.probability_no == pytest.approx(p[list(no)].sum(), rel=1e-4)
        assert row.margin == pytest.approx(np.log(p[list(yes)].sum() / p[list(no)].sum()), abs=1e-4)
        assert row.margin == pytest.approx(one.answer.margin, abs=1e-6)
        (wanted,) = chefer.oracle(one, [target], options)
        start, stop = one.answer.image_span
        image = wanted[start:stop].reshape(one.answer.grid)
        assert relative_difference(record.maps[row.map], image) < 1e-5


def test_pairs_are_scipys(record):
    pairs, prompts = record.tables["pairs"], record.tables["prompts"].set_index("name")
    assert len(pairs) == 9 * 8 / 2
    for row in pairs.itertuples():
        one, other = (record.maps[name].astype(float).ravel() for name in (row.first, row.second))
        # scipy gives the distance, the divergence's root.
        assert row.js_divergence == pytest.approx(jensenshannon(one, other) ** 2, abs=1e-9)
        assert row.spearman == pytest.approx(spearmanr(one, other).statistic, abs=1e-9)
        tops = [set(np.argsort(-m, kind="stable")[: round(0.2 * len(m))]) for m in (one, other)]
        assert row.top_iou == pytest.approx(len(tops[0] & tops[1]) / len(tops[0] | tops[1]))
        said = [prompts.loc[name] for name in (row.first, row.second)]
        assert row.margin_change == said[1]["margin"] - said[0]["margin"]
        same = [said[0][name] == said[1][name] for name in ("perturbation", "strategy")]
        assert row.axis == ("phrasing" if same[0] else "image" if same[1] else "both")
        readings = ((0.1, "nearly identical"), (0.3, "similar"), (0.5, "moderately different"))
        wanted = [reading for end, reading in readings if row.js_divergence < end]
        assert row.reading == (wanted or ["significantly different"])[0]


def told(found, record, answers, parsed):
    """The summary and pairs, had the model answered so."""
    from medgemma_dash.services.prompts.tables import Cell, Outcome

    outcomes = [
        Outcome(
            Cell(number, "baseline" if number == 1 else f"own {number - 1}", "x?", "none"),
            replace(found.answer, text=text, tokens=(replace(found.answer.tokens[0], text=text),)),
            (np.log(p), np.log(1 - p)),
            None,
            "none",
        )
        for number, (text, p) in enumerate(zip(answers, parsed, strict=True), 1)
    ]
    return tables_of(outcomes)[0]


def test_answers_are_read_counted_and_held_against_the_first(found, record):
    answers = ["Yes, there is.", "There is no pneumonia.", "Yes.", "The heart is normal.", "Hm."]
    tables = told(found, record, answers, [0.9, 0.2, 0.8, 0.5, 0.6])
    prompts, (whole, both) = tables["prompts"], tables["summary"].to_dict("records")
    assert prompts["parsed"].tolist() == ["yes", "no", "yes", "uncertain", "uncertain"]
    assert prompts["change"].tolist() == [
        "yes_to_yes", "yes_to_no", "yes_to_yes", "yes_to_uncertain", "yes_to_uncertain",
    ]  # fmt: skip
    assert (whole["axis"], both["axis"]) == ("phrasing", "all")
    assert [whole[name] for name in ("yes", "no", "uncertain", "flips")] == [2, 1, 2, 3]
    assert whole["consistency"] == 2 / 5
    assert whole["answer_agreement"] == 1 / 10  # the two that say yes
    odds = [np.log(p / (1 - p)) for p in (0.9, 0.2, 0.8, 0.5, 0.6)]
    assert prompts["margin"].tolist() == pytest.approx(odds)
    assert whole["mean_margin_change"] == pytest.approx(
        np.mean(np.abs(np.array(odds[1:]) - odds[0]))
    )
    assert (tables["pairs"]["reading"] == "not comparable").all()
    assert tables["pairs"]["js_divergence"].isna().all()
    assert not len(tables["prompt_words"])


def test_the_words_of_the_prompt_are_those_of_the_margins_row(found, record):
    words = record.tables["prompt_words"]
    name = record.tables["prompts"]["name"][0]
    answer = ask(found.model, found.answer.radiograph, QUESTION, max_new_tokens=3)
    row = explain(found.model, answer, margin=("Yes", "No")).row
    first = words[words["name"] == name]
    typed = "".join(answer.piece_texts[answer.image_span[1] : answer.prompt_length])
    assert all(word in typed for word in first["word"])
    assert set(first["word"]) <= {"Is", "there", "pneumonia?"}
    assert first["relevance"].sum() <= row[answer.image_span[1] :].sum() + 1e-6
    assert first["share"].sum() == pytest.approx(1)
    assert (first["relevance"].diff().dropna() <= 0).all()


def test_a_prompt_without_a_map_says_why_and_the_others_have_theirs(found, monkeypatch):
    real, calls = Chefer.rows, []

    def once(self, call):
        calls.append(call)
        if len(calls) == 2:
            raise NoExplanationError("Nothing at all.")
        return real(self, call)

    monkeypatch.setattr(Chefer, "rows", once)
    told = prompt_sensitivity(
        found.model, found.answer.radiograph, QUESTION, ["A?", "B?"], max_new_tokens=1
    )
    table = told.tables["prompts"]
    assert table["no_map"].tolist() == ["", "Nothing at all.", ""]
    assert (table["map"] == "").tolist() == [False, True, False]
    assert len(told.maps) == 2
    assert told.tables["pairs"]["js_divergence"].isna().tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("arguments", "error", "reason"),
    [
        ({"question": "Describe it."}, PromptError, "nothing to compare"),
        ({"variants": ["A?", "A?"]}, PromptError, "the same as the own 1"),
        ({"variants": {"tagged": "A <end_of_turn>?"}}, PromptError, "tagged prompt contains"),
        ({"perturbations": ["fog"]}, ImageError, "called 'fog'"),
        (
            {"variants": [], "perturbations": ["contrast=0", "brightness=0"]},
            ImageError,
            "contrast 0 emp",
        ),
        ({"method": "raw_attention"}, MethodError, "cannot explain a decision"),
        ({"method": "chefer", "options": {"heads": "some"}}, MethodError, "heads is 'some'"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_asked(
    found, arguments, error, reason, monkeypatch
):
    monkeypatch.setattr("medgemma_dash.services.prompts.run.ask", None)
    with pytest.raises(error, match=reason):
        prompt_sensitivity(
            found.model, found.answer.radiograph, **({"question": "Pneumonia?"} | arguments)
        )


def test_a_change_that_empties_the_image_is_left_out_and_the_rest_is_done(found, tmp_path):
    record = prompt_sensitivity(
        found.model,
        found.answer.radiograph,
        "Pneumonia?",
        [],
        ["brightness=0", "noise=30"],
        max_new_tokens=1,
    )
    assert record.tables["prompts"]["perturbation"].tolist() == ["none", "noise 30"]
    (row,) = record.tables["left_out"].to_dict("records")
    assert row["perturbation"] == "brightness 0"
    assert "every pixel becomes the same" in row["reason"]
    assert list(summary_lines(record))[-1] == f"Not asked: {row['reason']}"
    # It stays part of what was asked.
    assert record.plan["perturbations"] == ("brightness 0", "noise 30")
    record.save(tmp_path / "record")
    kept = read_record(tmp_path / "record")
    assert kept.tables["left_out"].to_dict("records") == [row]


@pytest.mark.parametrize(
    ("number", "value", "said"),
    [
        ("mean_top_iou", 0.4996, "overlap by 0.4996 (target above 0.5: missed)"),
        ("mean_top_iou", 0.5004, "overlap by 0.5004 (target above 0.5: reached)"),
        (
            "mean_js_divergence",
            0.0018,
            "differ by 0.002 nats on average (target below 0.2: reached",
        ),
        ("mean_js_divergence", 0.2, "by 0.200 nats on average (target below 0.2: missed"),
        ("answer_agreement", 0.8, "80% of pairs agree (target above 80%: missed)"),
        ("answer_agreement", 0.803, "80.3% of pairs agree (target above 80%: reached)"),
    ],
)
def test_a_number_beside_its_target_is_told_from_it_and_judged(record, number, value, said):
    summary = record.tables["summary"].copy()
    summary[number] = summary[number].astype(float)
    summary.loc[0, number] = value
    lines = summary_lines(replace(record, tables={**record.tables, "summary": summary}))
    assert said in next(iter(lines))


def test_two_prompts_are_held_against_each_other_in_words(record):
    grid = prompt_grid(record)
    assert grid.strategies == ("baseline", *VARIANTS)
    assert grid.perturbations == ("none", "noise 30", "rotation 5")
    first, second = grid.baseline, grid.most_telling
    table = record.tables["prompts"]
    changed = (table["parsed"] != table["parsed"][0]).to_numpy()
    kept = table[changed] if changed.any() else table
    furthest = kept.loc[(kept["margin"] - table["margin"][0]).abs().idxmax()]
    assert second.name == furthest["name"]
    moved = f"the margin moves by {second.margin - first.margin:+.2f} nats"
    assert moved in answers_line(first, second)
    yes, no, neither = (replace(first, parsed=said) for said in ("yes", "no", "uncertain"))
    assert answers_line(yes, no).startswith("The answer changes from yes to no;")
    assert answers_line(no, no).startswith("Both say no; the margin moves by +0.00 nats")
    assert answers_line(neither, neither).startswith("Neither answer says yes or no;")
    judged = judged_agreement(first.image_map, second.image_map, "divergence")
    said = divergence_line(judged)
    assert said.startswith(f"Jensen-Shannon {judged.value:.3f}, displaced {judged.low:.3f} to ")
    assert said.endswith(f'is "{divergence_in_words(judged.value)}".')
    near = divergence_line(replace(judged, value=0.1003, verdict="alike"))
    assert near.startswith("Jensen-Shannon 0.1003, displaced ")
    assert near.endswith('is "similar".')
    overlap = judged_agreement(first.image_map, second.image_map, "top_overlap")
    assert f"overlap {overlap.value:.3f}, displaced" in overlap_line(overlap)
    words = record.tables["prompt_words"].query("name == @first.name")
    assert [word.text for word in first.words] == words["word"].str.rstrip("?").tolist()


@pytest.mark.parametrize("fault", ["no table", "no column", "no map", "twice", "no rows"])
def test_a_record_that_is_no_grid_is_refused(record, fault):
    tables, maps, prompts = dict(record.tables), dict(record.maps), record.tables["prompts"]
    if fault == "no table":
        del tables["summary"]
    elif fault == "no column":
        tables["prompts"] = prompts.drop(columns="margin")
    elif fault == "no map":
        maps.pop(prompts["map"][1])
    else:
        rows = [0, 1, 1] if fault == "twice" else []
        tables["prompts"] = prompts.iloc[rows].reset_index(drop=True)
    with pytest.raises(ResultFileError, match="not those of prompt sensitivity"):
        prompt_grid(replace(record, tables=tables, maps=maps))


def test_several_radiographs_at_once_are_refused(found):
    film = found.answer.radiograph
    with pytest.raises(PromptError, match="one radiograph"):
        prompt_sensitivity(found.model, [film, film], "Pneumonia?")


def test_it_goes_on_prompt_by_prompt_and_stops_when_told_to(found):
    counted, film = [], found.answer.radiograph
    plan = prompts_plan(film, "Pneumonia?", ["Any?"], ["pixels"], max_new_tokens=1)
    steps = prompts_steps(
        lambda: found.model, film, plan, progress=lambda *done: counted.append(done)
    )
    assert sum(1 for _ in steps) == 3
    assert counted == [(done, 4) for done in range(5)]

    def stop():
        raise CancelledError("Enough.")

    with pytest.raises(CancelledError, match="Enough"):
        prompt_sensitivity(found.model, film, "Pneumonia?", ["Any?"], check=stop)


def test_where_neither_yes_nor_no_was_near_the_reading_says_so(found, record):
    tables = told(found, record, ["Yes."] * 3, [0.9, 0.2, 0.8])
    sure = replace(record, tables=tables)
    assert len(list(summary_lines(sure))) == 1
    assert list(undecided_lines(sure)) == []
    table = tables["prompts"].copy()
    table.loc[1, ["probability_yes", "probability_no"]] = [0.3, 0.1]
    (line,) = undecided_lines(replace(record, tables=tables | {"prompts": table}))
    assert "In 1 of 3" in line
    assert line.endswith("(2 own 1).")


def test_how_the_demo_model_takes_other_words(demo_model):
    film = load_radiograph(resource("assets", "samples", "consolidation-right-lower.png"))
    record = prompt_sensitivity(
        demo_model, film, "Is there evidence of pneumonia?", max_new_tokens=4
    )
    table = record.tables["prompts"]
    assert len(table) == 7
    assert set(table["parsed"]) == {"yes"}
    assert (table["margin"] > 0).all()
    words = record.tables["prompt_words"].groupby("name", sort=False)["word"].first()
    assert words.iloc[0] == "pneumonia?"
