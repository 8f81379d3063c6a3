"""Patches removed or kept, against the hand-written decoder with the features replaced."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from medgemma_dash import explain, intervene
from medgemma_dash.core.errors import CancelledError, ImageError, MethodError, TargetError
from medgemma_dash.core.geometry import Box, PatchGrid
from medgemma_dash.core.target import Target
from medgemma_dash.imaging.removal import CellRemoval
from medgemma_dash.services.interventions.reading import lines, selection, word_changes
from medgemma_dash.services.interventions.request import request_for
from medgemma_dash.services.interventions.run import intervention_steps
from medgemma_dash.services.interventions.tasks import intervention_task
from tests.gemma3_factory import radiograph
from tests.oracles.gemma3_float64 import decode
from tests.random_answers import SHAPES, case, soft_tokens
from tests.services.makers import NobodyWaits

SMALL = "six layers, heads 8 on 4"


def corner(grid, rows=1, cols=1):
    mask = np.zeros(grid, np.bool_)
    mask[:rows, :cols] = True
    return mask


def read(found, features):
    """Float64 logits at the answer's places: of its own tokens, their log-probabilities, first."""
    answer = found.answer
    with torch.no_grad():
        logits = decode(found.model.hf_model, answer.input_ids, features).logits
    rows = torch.stack([logits[token.position - 1] for token in answer.tokens])
    own = torch.tensor([token.id for token in answer.tokens])[:, None]
    nats = rows.log_softmax(-1)
    return rows.gather(1, own)[:, 0].numpy(), nats.gather(1, own)[:, 0].numpy(), rows.argmax(-1)


def greedy(found, features, count):
    """What is said by argmax over the whole sequence each time, without a cache."""
    ids = found.answer.input_ids[: found.answer.prompt_length].tolist()
    for _ in range(count):
        with torch.no_grad():
            ids.append(
                int(decode(found.model.hf_model, np.array(ids), features).logits[-1].argmax())
            )
    return ids[found.answer.prompt_length :]


def blanked(features, removed):
    """Soft tokens of one image, the removed ones their mean."""
    soft = features.clone()
    soft[torch.from_numpy(removed.ravel())] = features.mean(0)
    return soft


@pytest.mark.parametrize("how", ["remove", "keep"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_logit_and_the_answer_are_what_the_decoder_by_definition_gives(shape, how):
    found = case(shape)
    mask = corner(found.answer.grid)
    record = intervene(
        found.model, found.answer, **{how: mask}, token=1, copies=2, max_new_tokens=4
    )
    words, elsewhere = record.tables["words"], record.tables["elsewhere"]
    removed = mask if how == "remove" else ~mask
    logits, nats, first = read(found, blanked(found.features, removed))
    # Float32 over up to 34 layers; the numbers are of some units.
    close = {"rtol": 2e-4, "atol": 2e-4}
    np.testing.assert_allclose(words["logit_after"], logits, **close)
    np.testing.assert_allclose(words["probability_after"], np.exp(nats), **close)
    decoded = [found.model.processor.tokenizer.decode([int(one)]) for one in first]
    assert words["first_after"].tolist() == decoded
    logits, nats, _ = read(found, found.features)
    np.testing.assert_allclose(words["logit"], logits, **close)
    np.testing.assert_allclose(words["probability"], np.exp(nats), **close)
    logits, nats, _ = read(found, blanked(found.features, np.ones_like(mask)))
    np.testing.assert_allclose(words["logit_without"], logits, **close)
    np.testing.assert_allclose(words["probability_without"], np.exp(nats), **close)
    for _, rows in elsewhere.groupby("copy"):
        down, right = int(rows["down"].iloc[0]), int(rows["right"].iloc[0])
        moved = np.roll(mask, (down, right), (0, 1))
        assert not np.array_equal(moved, mask)
        moved = moved if how == "remove" else ~moved
        logits, _, _ = read(found, blanked(found.features, moved))
        np.testing.assert_allclose(rows["logit"], logits, **close)
    mean = elsewhere.groupby("token")["logit"].mean()
    np.testing.assert_allclose(words["logit_elsewhere"], mean)
    answers = record.tables["answers"].set_index("which")
    # The case's answer was given, so that it is generated as well.
    assert list(answers.index) == ["given", "before", "after"]
    for which, soft in (("before", found.features), ("after", blanked(found.features, removed))):
        said = greedy(found, soft, int(answers.loc[which, "tokens"]))
        text = found.model.processor.tokenizer.decode(said, skip_special_tokens=True)
        assert answers.loc[which, "text"] == text


@pytest.mark.parametrize("removal", ["another patient", "blur", "mean grey", "inpainting"])
def test_other_removals_give_the_decoder_what_they_say(removal):
    found = case(SMALL)
    answer, mask, donor = found.answer, corner(found.answer.grid, 2, 1), radiograph(9)
    record = intervene(
        found.model, answer, remove=mask, removal=removal, donor=donor, token=1, copies=1
    )
    if removal == "another patient":
        soft = found.features.clone()
        chosen = torch.from_numpy(mask.ravel())
        soft[chosen] = soft_tokens(found.model, about(answer, donor))[chosen]
    else:
        pixels = CellRemoval(answer.radiograph.pixels, answer.grid, removal).without(mask)
        changed = replace(answer.radiograph, pixels=pixels)
        soft = soft_tokens(found.model, about(answer, changed))
    logits, _, _ = read(found, soft)
    np.testing.assert_allclose(record.tables["words"]["logit_after"], logits, rtol=2e-4, atol=2e-4)
    digests = {answer.radiograph.sha256, *([donor.sha256] if removal == "another patient" else [])}
    assert set(record.provenance.images) == digests


def about(answer, film):
    return replace(answer, images=(replace(answer.images[-1], radiograph=film),))


@pytest.mark.parametrize("image", [0, 1, -1])
def test_of_several_images_only_the_chosen_one_changes(image):
    found = case(SMALL, images=2)
    mask = corner(found.answer.grid)
    record = intervene(
        found.model, found.answer, keep=mask, image=image, token=1, copies=0, max_new_tokens=1
    )
    cells, soft = mask.size, found.features.clone()
    own = slice(cells, 2 * cells) if image else slice(cells)
    soft[own] = blanked(found.features[own], ~mask)
    logits, _, _ = read(found, soft)
    np.testing.assert_allclose(record.tables["words"]["logit_after"], logits, rtol=2e-4, atol=2e-4)
    assert not len(record.tables["elsewhere"])
    wanted = explain(found.model, found.answer, token=1).images[image]
    np.testing.assert_array_equal(record.maps["chefer"], wanted)


def test_what_cannot_be_removed_or_kept_is_said():
    found = case(SMALL)
    grid = found.answer.grid
    one, none, every = corner(grid), np.zeros(grid, np.bool_), np.ones(grid, np.bool_)
    for selected, said in (
        ({}, "one of the two"),
        ({"remove": one, "keep": one}, "one of the two"),
        ({"remove": none}, "No patch is selected"),
        ({"keep": every}, "Every patch is selected"),
        ({"remove": one.astype(int)}, "bool array"),
        ({"remove": one[:1]}, "bool array"),
        ({"remove": one, "image": 1}, "no image 1"),
    ):
        with pytest.raises(TargetError, match=said):
            intervene(found.model, found.answer, **selected)
    with pytest.raises(MethodError, match="no removal 'scissors'"):
        intervene(found.model, found.answer, remove=one, removal="scissors")
    with pytest.raises(ImageError, match="another one than was asked about"):
        intervene(
            found.model,
            found.answer,
            remove=one,
            removal="another patient",
            donor=found.answer.radiograph,
        )


def test_the_page_and_the_command_find_the_same():
    found = case(SMALL)
    mask, target = corner(found.answer.grid), Target("token", (1,), found.answer.tokens[1].text)
    wanted = intervene(found.model, found.answer, remove=mask, token=1)
    known = explain(found.model, found.answer, token=1)
    for explanation in (known, None):
        task = intervention_task(found.answer, target, mask, "remove", explanation=explanation)
        steps = task.work(lambda: found.model, NobodyWaits())
        made = run_out(steps)
        assert made.plan == wanted.plan
        for name, table in wanted.tables.items():
            assert made.tables[name].equals(table), name
        np.testing.assert_array_equal(made.maps["chefer"], wanted.maps["chefer"])


def run_out(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_it_goes_on_batch_by_batch_counts_them_and_stops_when_told_to():
    found = case(SMALL)
    target = Target("token", (1,), "")
    told = []
    request = request_for(found.answer, target, corner(found.answer.grid), "remove", copies=3)
    steps = intervention_steps(
        lambda: found.model, request, progress=lambda done, total: told.append((done, total))
    )
    turns = sum(1 for _ in steps)
    # The map, two answers, and the selection, the whole image and three other places.
    assert told[0] == (0, 8)
    assert told[-1] == (8, 8)
    assert turns == len(told) - 2

    def stop():
        raise CancelledError("Enough.")

    with pytest.raises(CancelledError, match="Enough"):
        intervene(found.model, found.answer, remove=corner(found.answer.grid), token=1, check=stop)


def test_where_there_is_no_map_the_words_are_there_all_the_same():
    found = case(SMALL)
    record = intervene(
        found.model,
        found.answer,
        remove=corner(found.answer.grid),
        margin=("Yes", "No"),
        method="rollout",
        copies=0,
        max_new_tokens=1,
    )
    assert record.maps == {}
    assert record.tables["box"]["value"].isna().all()
    assert "against no map, because: " in list(lines(record))[-1]
    assert record.tables["words"]["logit_after"].notna().all()


def test_a_box_in_pixels_is_the_patches_whose_middle_it_holds():
    grid = PatchGrid(4, 4, 80, 40)  # cells of 20 by 10 pixels
    assert grid.cells_in(Box(10.0, 5.0, 30.0, 15.0)) == ((0, 0),)
    assert grid.cells_in(Box(9.0, 4.0, 31.0, 16.0)) == ((0, 0), (0, 1), (1, 0), (1, 1))
    assert grid.cells_in(Box(41.0, 21.0, 43.0, 23.0)) == ((2, 2),), "it holds no middle"


def test_on_the_demo_model_the_lesion_matters_and_the_same_shape_elsewhere_does_not(demo_model):
    """The word "right" loses its place without the patches of the consolidation."""
    from medgemma_dash import ask, load_radiograph
    from medgemma_dash.core.resources import resource

    film = load_radiograph(resource("assets", "samples", "consolidation-right-lower.png"))
    answer = ask(demo_model, film, "Is there evidence of pneumonia in this chest radiograph?")
    image = explain(demo_model, answer, phrase="right").image
    row, col = np.unravel_index(int(image.argmax()), image.shape)
    mask = np.zeros(answer.grid, np.bool_)
    mask[max(0, row - 3) : row + 4, max(0, col - 2) : col + 3] = True
    record = intervene(demo_model, answer, remove=mask, phrase="right")
    words = {word.text.strip(): word for word in word_changes(record)}
    assert words["right"].change < -1
    assert words["right"].stands_out
    assert np.array_equal(selection(record), mask)
    pointing, energy, _ = record.tables["box"].itertuples()
    assert pointing.value == 1.0
    assert energy.value > 2 * energy.displaced
    kept = intervene(demo_model, answer, keep=mask, phrase="right", copies=0)
    words = {word.text.strip(): word for word in word_changes(kept)}
    assert words["right"].change > 0.5 * words["right"].whole
