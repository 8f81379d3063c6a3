"""Radiographs of people, where a folder of them lies beside the repository."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.imaging import body_mask, load_radiograph
from medgemma_dash.regions import looks_inverted, zone_map

FOLDER = Path(__file__).parents[3] / "shared" / "data"
FILES = {
    "nih_00000001_000.png": (512, 512),
    "wikimedia_normal_pa.jpg": (2207, 1929),
    "rsna_pa_monochrome2_jpeg.dcm": (1024, 1024),
    "rsna_pa_monochrome1_jpeg.dcm": (1024, 1024),
}
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="No folder of real radiographs.")


@pytest.mark.parametrize("name", FILES)
def test_real_radiograph_is_read_and_divided(name: str) -> None:
    found = load_radiograph(FOLDER / name)
    assert (found.height, found.width) == FILES[name]
    assert found.laterality == "left"
    assert 0.7 < body_mask(found.pixels).mean() < 0.98
    zones = zone_map(found, (16, 16), "fitted")
    assert zones.note == ""
    assert looks_inverted(found) == ("monochrome1" in name)
    assert set(np.unique(zones.labels)) == {-1, 0, 1, 2, 3, 4, 5}


def test_photometric_tag_alone_inverts_the_picture() -> None:
    # The two files hold the same stored values and differ in this tag only.
    plain = load_radiograph(FOLDER / "rsna_pa_monochrome2_jpeg.dcm")
    inverted = load_radiograph(FOLDER / "rsna_pa_monochrome1_jpeg.dcm")
    np.testing.assert_array_equal(plain.pixels, 255 - inverted.pixels)
    assert plain.spacing_mm == pytest.approx((0.168, 0.168))
    assert plain.sha256 != inverted.sha256


@pytest.mark.parametrize("name", FILES)
def test_zones_keep_to_the_body_and_above_the_diaphragm(name: str) -> None:
    found = load_radiograph(FOLDER / name)
    labels = zone_map(found, (64, 64), "fitted").labels
    body = np.asarray(
        Image.fromarray(body_mask(found.pixels)).resize((64, 64), Image.Resampling.BOX)
    )
    assert not ((labels >= 0) & ~body).any()
    if "rsna" in name:  # gas in the bowel below the left diaphragm, and the lung above it
        assert (labels[49:55, 46:54] == -1).all()
        assert (labels[40:43, 48:56] == 5).all()
