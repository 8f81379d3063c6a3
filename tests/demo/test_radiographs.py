"""Synthetic radiographs: reproducible, and truthful about their own lesions."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from medgemma_dash.demo.dataset import make_examples
from medgemma_dash.demo.evaluation import evaluate
from medgemma_dash.demo.questions import FINDINGS
from medgemma_dash.demo.radiographs import (
    FIRST_EVALUATION_SEED,
    SyntheticRadiograph,
    synthesize,
)

SEEDS = range(FIRST_EVALUATION_SEED + 900_000, FIRST_EVALUATION_SEED + 900_030)


@pytest.fixture(scope="module")
def radiographs() -> list[SyntheticRadiograph]:
    return [synthesize(seed) for seed in SEEDS]


def _digest(radiograph: SyntheticRadiograph) -> str:
    parts = [radiograph.pixels.tobytes(), *(one.mask.tobytes() for one in radiograph.findings)]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_same_seed_gives_the_same_bytes(radiographs: list[SyntheticRadiograph]) -> None:
    assert [_digest(synthesize(seed)) for seed in SEEDS[:4]] == [
        _digest(radiograph) for radiograph in radiographs[:4]
    ]


def test_different_seeds_differ(radiographs: list[SyntheticRadiograph]) -> None:
    assert len({_digest(radiograph) for radiograph in radiographs}) == len(radiographs)


def test_pictures_are_bytes_of_varied_shape(radiographs: list[SyntheticRadiograph]) -> None:
    assert all(radiograph.pixels.dtype == np.uint8 for radiograph in radiographs)
    shapes = {radiograph.pixels.shape for radiograph in radiographs}
    assert len(shapes) > 10
    assert any(height > width for height, width in shapes)
    assert any(height < width for height, width in shapes)


def test_pictures_use_the_grey_scale(radiographs: list[SyntheticRadiograph]) -> None:
    for radiograph in radiographs:
        inside = radiograph.pixels[radiograph.body]
        assert np.quantile(inside, 0.95) - np.quantile(inside, 0.05) > 90


def test_lungs_are_darker_than_the_heart_between_them(
    radiographs: list[SyntheticRadiograph],
) -> None:
    for radiograph in radiographs:
        lungs = radiograph.lungs["right"] | radiograph.lungs["left"]
        for finding in radiograph.findings:
            lungs = lungs & ~finding.mask
        other = radiograph.body & ~lungs
        assert radiograph.pixels[lungs].mean() < radiograph.pixels[other].mean()


def test_masks_lie_in_the_body(radiographs: list[SyntheticRadiograph]) -> None:
    for radiograph in radiographs:
        for finding in radiograph.findings:
            assert finding.mask.shape == radiograph.pixels.shape
            assert finding.mask.dtype == np.bool_
            assert finding.mask.any()
            assert not (finding.mask & ~radiograph.body).any()


def test_lesions_of_the_lung_lie_in_the_lung_of_their_side(
    radiographs: list[SyntheticRadiograph],
) -> None:
    for radiograph in radiographs:
        for finding in radiograph.findings:
            if finding.side:
                assert not (finding.mask & ~radiograph.lungs[finding.side]).any()


def test_side_and_zone_agree_with_the_masks_centroid(
    radiographs: list[SyntheticRadiograph],
) -> None:
    for radiograph in radiographs:
        width = radiograph.pixels.shape[1]
        for finding in radiograph.findings:
            if not finding.side:
                assert (finding.name, finding.zone) == ("cardiomegaly", "")
                continue
            rows, columns = np.nonzero(finding.mask)
            # The image's left is the patient's right.
            assert finding.side == ("right" if columns.mean() < width / 2 else "left")
            lung = np.flatnonzero(radiograph.lungs[finding.side].any(axis=1))
            place = (rows.mean() - lung[0]) / (lung[-1] - lung[0])
            assert finding.zone == (
                "upper" if place < 1 / 3 else "mid" if place < 2 / 3 else "lower"
            )


def test_every_finding_and_none_and_two_occur(radiographs: list[SyntheticRadiograph]) -> None:
    names = {finding.name for radiograph in radiographs for finding in radiograph.findings}
    assert names == set(FINDINGS)
    assert {len(radiograph.findings) for radiograph in radiographs} == {0, 1, 2}


def test_training_refuses_evaluation_seeds() -> None:
    with pytest.raises(ValueError, match="would train on evaluation pictures"):
        make_examples(FIRST_EVALUATION_SEED - 5, 6, processes=1)


def test_evaluation_refuses_training_seeds() -> None:
    with pytest.raises(ValueError, match="may have been trained on"):
        evaluate(None, None, pictures=1, first_seed=FIRST_EVALUATION_SEED - 1)  # type: ignore[arg-type]
