"""The shipped samples: readable files whose words are true."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from medgemma_dash.demo.dialogues import answer_to
from medgemma_dash.demo.dicom import Photometric, stored_values, write_dicom
from medgemma_dash.demo.questions import read_question
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.demo.samples import suggestions

FOLDER = Path(__file__).parents[2] / "assets" / "samples"


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_written_dicom_can_be_read(tmp_path: Path, photometric: Photometric) -> None:
    radiograph = synthesize(FIRST_EVALUATION_SEED)
    write_dicom(tmp_path / "film.dcm", radiograph, photometric)
    data = pydicom.dcmread(tmp_path / "film.dcm")
    assert np.array_equal(data.pixel_array, stored_values(radiograph, photometric))
    assert data.pixel_array.max() < 4096
    assert (data.PhotometricInterpretation, data.ViewPosition) == (photometric, "PA")
    assert list(data.PatientOrientation) == ["L", "F"]
    assert len(data.WindowCenter) == len(data.WindowWidth) == 2
    assert str(data.PatientName) == "Synthetic^Radiograph"
    assert 0.3 < float(data.PixelSpacing[0]) < 1.2


def test_both_photometrics_show_the_same_picture() -> None:
    radiograph = synthesize(FIRST_EVALUATION_SEED)
    bright = stored_values(radiograph, "MONOCHROME2").astype(int)
    assert np.array_equal(4095 - bright, stored_values(radiograph, "MONOCHROME1"))


def test_samples_are_unseen_and_their_words_are_true() -> None:
    rows = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))
    assert len(rows) >= 8
    assert sum(row["file"].endswith(".dcm") for row in rows) >= 2
    for row in rows:
        assert row["seed"] >= FIRST_EVALUATION_SEED
        radiograph = synthesize(row["seed"])
        assert answer_to(row["question"], radiograph).answer == row["expected_answer"]
        assert tuple(row["suggestions"]) == suggestions(radiograph, row["question"])
        asked = [read_question(text) for text in row["suggestions"]]
        # They fit the film: none asks about a finding that is not there, but for the heart.
        shown = {finding.name for finding in radiograph.findings} | {"cardiomegaly", ""}
        assert {one.finding for one in asked} <= shown
        assert shown - {"cardiomegaly"} <= {one.finding for one in asked}
        assert "unknown" not in {one.intent for one in asked}
        assert row["question"] not in row["suggestions"]
        path = FOLDER / row["file"]
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert image.size == radiograph.pixels.shape[::-1]
        else:
            assert pydicom.dcmread(path).pixel_array.shape == radiograph.pixels.shape
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 4 * 1024**2
