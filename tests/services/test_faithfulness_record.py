"""The faithfulness record: every probability against the hand-written decoder, and what it says."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import expit, logsumexp

from medgemma_dash import faithfulness
from medgemma_dash.core.errors import (
    CancelledError,
    ImageError,
    MethodError,
    NoExplanationError,
    TargetError,
)
from medgemma_dash.imaging.removal import CellRemoval
from medgemma_dash.metrics.removal_curves import SHARES
from medgemma_dash.services.explaining.explain import explain
from medgemma_dash.services.explaining.targets import choose_target
from medgemma_dash.services.faithfulness.plan import REMOVALS, SANITY_LIMITS
from medgemma_dash.services.faithfulness.reading import (
    agreement_line,
    bands_of,
    dependence_lines,
    removed_cells,
    sanity_lines,
    verdicts_of,
)
from medgemma_dash.services.faithfulness.removals import TargetScore
from medgemma_dash.services.faithfulness.request import request_for
from medgemma_dash.services.faithfulness.run import faithfulness_record_steps
from medgemma_dash.services.faithfulness.sanity import depths, sanity_pieces, with_noise
from medgemma_dash.services.faithfulness.tasks import faithfulness_record_task
from tests.gemma3_factory import radiograph
from tests.oracles.gemma3_float64 import decode
from tests.random_answers import SHAPES, case, soft_tokens

SIX = "six layers, heads 8 on 4"
DONOR = radiograph(20)
TARGETS = {
    "token": {"token": 1},
    "phrase": {"phrase": "right lower"},
    "answer": {},
    "margin": {"margin": ("Yes", "No")},
}


@pytest.fixture(scope="module")
def record():
    found = case(SIX)
    return faithfulness(
        found.model,
        found.answer,
        phrase="right",
        methods=["chefer", "integrated_gradients", "centre", "activation_norm"],
        removals=["mean token", "mean grey"],
    )


def told(found, target, features):
    """Float64 log-probability of a target with these soft tokens."""
    answer = found.answer
    with torch.no_grad():
        logits = decode(found.model.hf_model, answer.input_ids, features).logits
    if target.margin is None:
        tokens = [answer.tokens[index] for index in target.token_indices]
        rows = logits.log_softmax(-1)
        return sum(float(rows[token.position - 1, token.id]) for token in tokens)
    row = logits[answer.prompt_length - 1].numpy()
    yes, no = (logsumexp(row[list(ids)]) for ids in (target.margin.yes_ids, target.margin.no_ids))
    return float(np.log(expit(yes - no)))


def features_without(found, removal, mask):
    """Soft tokens of every image with these cells removed, by definition."""
    parts, start = [], 0
    for number, image in enumerate(found.answer.images):
        stop = start + int(np.prod(image.grid))
        own, gone = found.features[start:stop].clone(), torch.from_numpy(mask[start:stop])
        if removal == "mean token":
            own[gone] = own.mean(0)
        elif removal == "another patient":
            own[gone] = soft_tokens(found.model, about(found.answer, number, DONOR.pixels))[gone]
        else:
            pixels, grid = image.radiograph.pixels, image.grid
            picture = CellRemoval(pixels, grid, removal).without(mask[start:stop].reshape(grid))
            own = soft_tokens(found.model, about(found.answer, number, picture))
        parts.append(own)
        start = stop
    return torch.cat(parts)


def about(answer, number, pixels):
    """The answer as if it had been about this picture alone."""
    image = answer.images[number]
    shown = replace(image.radiograph, pixels=pixels, intensities=pixels[..., 0].astype(np.float32))
    return replace(answer, images=(replace(image, radiograph=shown),))


@pytest.mark.parametrize("removal", REMOVALS)
@pytest.mark.parametrize(
    ("shape", "images", "chosen"),
    [(SIX, 1, "margin"), (SIX, 2, "phrase"), ("pooling 4, no stretched rotary", 1, "token"),
     ("heads 4 on 1, window shorter than the image", 1, "answer")],
)  # fmt: skip
def test_a_removals_score_is_what_the_decoder_by_definition_gives(shape, images, chosen, removal):
    assert shape in SHAPES
    found = case(shape, images=images)
    target = choose_target(found.model, found.answer, **TARGETS[chosen])
    masks = np.random.default_rng(0).random((4, len(found.cells))) < [[0.0], [0.3], [0.7], [1.0]]
    score = TargetScore(found.answer, target, removal, DONOR)
    wanted = [told(found, target, features_without(found, removal, mask)) for mask in masks]
    # Float32 over several layers; the numbers are of some nats, of the whole answer of dozens.
    np.testing.assert_allclose(score(found.model, masks), wanted, rtol=2e-4, atol=2e-4)
    assert 1 <= score.at_once(found.model) <= 4096


def test_curves_and_dependence_are_those_of_the_maps_masks(record):
    found = case(SIX)
    target = choose_target(found.model, found.answer, phrase="right")
    curves = record.tables["curves"]
    kinds = curves.groupby("kind", sort=False)[["method", "draw"]].nunique()
    assert kinds.to_dict("index") == {
        "method": {"method": 4, "draw": 1},
        "random": {"method": 1, "draw": 10},
        "centre": {"method": 1, "draw": 1},
        "blurred random": {"method": 1, "draw": 10},
    }
    assert len(curves) == (4 + 10 + 1 + 10) * 2 * 2 * len(SHARES)
    assert np.allclose(curves["probability"], np.exp(curves["log_probability"]))
    for curve in ("deletion", "insertion"):
        own = curves[
            (curves["method"] == "chefer")
            & (curves["curve"] == curve)
            & (curves["removal"] == "mean token")
        ]
        assert tuple(own["share"]) == SHARES
        masks = [removed_cells(record, "chefer", curve, share) for share in SHARES]
        assert masks[0].all() == (curve == "insertion")
        score = TargetScore(found.answer, target, "mean token")
        wanted = score(found.model, np.stack([mask.ravel() for mask in masks]))
        np.testing.assert_allclose(own["log_probability"], wanted, rtol=1e-4)
    first = record.tables["dependence"].iloc[0]
    given = np.log(found.answer.tokens[choose(found)].probability)
    assert first["log_probability"] == pytest.approx(given, rel=1e-4)
    assert first["image_effect"] == first["log_probability"] - first["log_probability_without"]
    np.testing.assert_array_equal(
        record.maps["chefer"], explain(found.model, found.answer, phrase="right").image
    )


def choose(found):
    (index,) = choose_target(found.model, found.answer, phrase="right").token_indices
    return index


def test_summaries_follow_from_the_curves_and_verdicts_from_the_chance(record):
    curves, summary = record.tables["curves"], record.tables["summary"]
    chance = record.tables["chance"].set_index(["removal", "kind", "figure"])
    depends = record.tables["dependence"].set_index("removal")["depends"]
    for row in summary.itertuples():
        own = curves[
            (curves["method"] == row.method)
            & (curves["kind"] == row.kind)
            & (curves["removal"] == row.removal)
        ].set_index(["curve", "draw", "share"])["probability"]
        areas = {
            curve: np.mean([np.trapezoid(part, SHARES) for _, part in own[curve].groupby("draw")])
            for curve in ("deletion", "insertion")
        }
        assert row.deletion_auc == pytest.approx(areas["deletion"], abs=1e-12)
        assert row.insertion_auc == pytest.approx(areas["insertion"], abs=1e-12)
        drop = own.xs(0.0, level="share")["deletion"] - own.xs(0.2, level="share")["deletion"]
        assert row.comprehensiveness == pytest.approx(drop.mean(), abs=1e-12)
        band = chance.loc[(row.removal, "random", "gain")]
        assert (row.low, row.high) == (band["low"], band["high"])
        if row.kind in ("random", "blurred random"):
            assert row.verdict == ""
            assert row.gain == pytest.approx(0, abs=1e-12)
            continue
        bands = [chance.loc[(row.removal, kind, "gain")] for kind in ("random", "blurred random")]
        if not depends[row.removal]:
            wanted = "not shown"
        elif row.gain <= max(one["mean"] for one in bands):
            wanted = "no"
        else:
            wanted = "yes" if row.gain > max(one["high"] for one in bands) else "not shown"
        assert row.verdict == wanted


def test_sanity_checks_are_run_for_real(record):
    checks = record.tables["sanity"].set_index(["check", "method"])
    assert (checks.loc["repeatability", "value"] == 0).all()
    spatial = checks.loc["spatial order"]
    assert set(spatial["step"]) == {"split", "quadrants", "circle", "checkerboard"}
    assert spatial["passed"].all()
    # The centre's bell does not change with anything: the checks have to say so.
    for name in ("decoder randomisation", "vision tower randomisation"):
        np.testing.assert_allclose(checks.loc[(name, "centre"), "value"], 1, atol=1e-12)
        assert not checks.loc[(name, "centre"), "passed"].any()
        assert not checks.loc[(f"{name}, entropy", "centre"), "passed"].any()
    assert checks.loc[("max-sensitivity", "centre"), "value"].item() == 0
    # It hangs on the vision tower alone.
    decoder = checks.loc[("decoder randomisation", "activation_norm")]
    np.testing.assert_allclose(decoder["value"], 1, atol=1e-12)
    assert not decoder["passed"].any()
    assert len(decoder) == len(depths(case(SIX).model, "decoder")) == 4
    assert "of 6 layers" in decoder["step"].iloc[0]
    assert set(record.tables["sanity"]["check"]) == set(SANITY_LIMITS)
    completeness = checks.loc["completeness"]
    assert set(completeness.index) == {"integrated_gradients"}
    result = explain(
        case(SIX).model, case(SIX).answer, phrase="right", method="integrated_gradients"
    )
    change = result.row.sum(dtype=np.float64) - result.completeness_gap
    value = abs(result.completeness_gap / change)
    assert completeness["value"].item() == pytest.approx(value, rel=1e-6)


def test_soft_tokens_out_of_place_are_found(monkeypatch):
    from medgemma_dash.services.faithfulness import sanity

    model = case(SIX).model
    real = sanity.encode_pictures

    def mirrored(model, pictures, check=None):
        rows, cols = model.layout.grid
        h = real(model, pictures, check)
        return h.reshape(-1, rows, cols, h.shape[-1]).flip(2).flatten(1, 2)

    assert all(one.passed for one in sanity._spatial_order(model, None))
    monkeypatch.setattr(sanity, "encode_pictures", mirrored)
    assert not all(one.passed for one in sanity._spatial_order(model, None))


def test_it_is_read_in_sentences(record):
    verdicts = verdicts_of(record)
    assert [one.method for one in verdicts] == [
        "chefer", "integrated_gradients", "centre", "activation_norm",
    ]  # fmt: skip
    assert "better than chance on this word: " in verdicts[0].text
    assert len(dependence_lines(record)) == 2
    assert "pairs of removals" in agreement_line(record)
    lines = list(sanity_lines(record))
    assert "sanity checks are passed" in lines[0]
    assert any(line.startswith("Not passed: decoder randomisation of centre") for line in lines)
    bands = bands_of(record)
    assert [(one.removal, one.curve) for one in bands][:2] == [
        ("mean token", "deletion"), ("mean token", "insertion"),
    ]  # fmt: skip
    assert (bands[0].low <= bands[0].mean).all()
    assert (bands[0].mean <= bands[0].high).all()
    assert [name for name, _ in bands[0].lines] == [one.method for one in verdicts]


def test_a_method_without_a_map_gives_its_reason_and_the_others_are_tested():
    found = case(SIX)
    margin = choose_target(found.model, found.answer, margin=("Yes", "No"))
    first, second = (
        ("No", "Yes") if told(found, margin, found.features) > np.log(0.5) else ("Yes", "No")
    )
    kept = faithfulness(
        found.model,
        found.answer,
        margin=(first, second),
        methods=["rollout", "tam", "input_x_gradient"],
        removals=["mean token"],
        sanity=False,
    )
    failures = kept.tables["methods"].set_index("method")["failure"]
    assert "cannot explain a decision" in failures["tam"]
    assert failures["input_x_gradient"] == ""
    assert "input_x_gradient" in kept.maps
    assert "tam" not in kept.maps
    assert list(sanity_lines(kept)) == ["No sanity checks were made."]
    assert any("no map, because" in one.text for one in verdicts_of(kept))
    assert any("on this decision" in one.text for one in verdicts_of(kept))
    assert f"fell on {second}" in dependence_lines(kept)[0]
    with pytest.raises(NoExplanationError, match=r"tam: .*cannot explain"):
        faithfulness(found.model, found.answer, margin=("Yes", "No"), methods=["tam"])


@pytest.mark.parametrize(
    ("asked", "error", "reason"),
    [
        ({"methods": ["cheffer"]}, MethodError, "no method 'cheffer'"),
        ({"methods": []}, MethodError, "No method is named"),
        ({"removals": ["scissors"]}, MethodError, "Removals: mean token, another patient"),
        ({"removals": []}, MethodError, "Nothing is removed"),
        ({"draws": 9}, MethodError, "at least 10"),
        ({"draws": 11}, MethodError, "in pairs"),
        ({"donor": radiograph(0)}, ImageError, "another one than was asked about"),
        ({"token": 99}, TargetError, "no token 99"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_work(asked, error, reason):
    found = case(SIX)
    with pytest.raises(error, match=reason):
        faithfulness(found.model, found.answer, **asked)


def test_it_goes_on_in_steps_counts_them_and_stops_when_told_to():
    found = case(SIX)
    target = choose_target(found.model, found.answer, token=1)
    counted = []
    request = request_for(found.answer, target, ["rollout"], ["mean token"])
    steps = faithfulness_record_steps(
        lambda: found.model, request, None, lambda *so_far: counted.append(so_far)
    )
    turns = sum(1 for _ in steps)
    assert counted[0][0] == 0
    assert counted[-1][0] == counted[-1][1]
    assert turns == len(counted) - 1
    assert counted[-1][1] > sanity_pieces(found.model, 1)

    def stop():
        raise CancelledError("Enough.")

    with pytest.raises(CancelledError, match="Enough"):
        faithfulness(found.model, found.answer, token=1, check=stop)


def test_the_task_gives_the_same_record_and_its_module_waits_for_no_torch():
    found = case(SIX)
    target = choose_target(found.model, found.answer, token=1)
    task = faithfulness_record_task(found.answer, target, ["rollout"], ["mean token"], sanity=False)

    class Context:
        def check(self): ...

        def progress(self, done, total): ...

    steps = task.work(lambda: found.model, Context())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            given = end.value
            break
    wanted = faithfulness(
        found.model, found.answer, token=1, methods=["rollout"], removals=["mean token"],
        sanity=False,
    )  # fmt: skip
    for name, table in wanted.tables.items():
        pd.testing.assert_frame_equal(given.tables[name], table)
    code = (
        "import sys, medgemma_dash.services.faithfulness.tasks, "
        "medgemma_dash.services.faithfulness.reading; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_noise_stays_within_its_levels_and_grey_stays_grey():
    answer = case(SIX).answer
    noisy = with_noise(answer, 3)
    before, after = (one.radiograph.pixels.astype(int) for one in (answer, noisy))
    assert 0 < np.abs(after - before).max() <= 5
    assert noisy.radiograph.sha256 != answer.radiograph.sha256
    assert np.array_equal(with_noise(answer, 3).radiograph.pixels, noisy.radiograph.pixels)


def test_a_map_of_the_demo_model_beats_chance_where_the_image_is_needed_and_noise_does_not(
    demo_model,
):
    """Some 270 forward passes: the one test that the verdict means something of a trained model."""
    from medgemma_dash import ask, load_radiograph
    from medgemma_dash.core.resources import resource

    film = load_radiograph(resource("assets", "samples", "consolidation-right-lower.png"))
    answer = ask(demo_model, film, "Is there evidence of pneumonia in this chest radiograph?")
    record = faithfulness(
        demo_model,
        answer,
        phrase="right",
        methods=["chefer", "random"],
        removals=["mean token"],
        sanity=False,
    )
    assert record.tables["dependence"]["image_effect"].item() > 1
    chefer, noise = verdicts_of(record)
    assert chefer.verdict == "yes"
    assert noise.verdict != "yes"
