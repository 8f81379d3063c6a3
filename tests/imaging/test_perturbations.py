"""Changes of a picture, each against a way of its own to compute it."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging.perturbations import (
    KINDS,
    STANDARD,
    perturbed,
    random_pixels,
    read_perturbation,
)
from tests.gemma3_factory import radiograph

FILM = radiograph(1, height=60, width=50)


def smooth_film():
    """Without the steep edges at which two ways to interpolate part."""
    y, x = np.mgrid[:60, :50]
    grey = 120 + 60 * np.sin(y / 11) * np.cos(x / 9)
    pixels = np.repeat(np.rint(grey)[..., None], 3, 2).astype(np.uint8)
    return replace(FILM, pixels=pixels)


def changed(name: str, film=FILM, seed: int = 0):
    return perturbed(film, read_perturbation(name), seed).pixels.astype(int)


def test_noise_has_the_sigma_that_it_says_and_the_seed_that_it_is_given():
    grey = replace(FILM, pixels=np.full((300, 300, 3), 128, np.uint8),
                   intensities=np.zeros((300, 300), np.float32))  # fmt: skip
    noisy = changed("noise 2", grey)
    # 90,000 draws: the standard error of sigma is 0.005; rounding to whole levels adds 1/12.
    assert noisy.std() == pytest.approx((4 + 1 / 12) ** 0.5, abs=0.02)
    assert noisy.mean() == pytest.approx(128, abs=0.03)
    assert (noisy == noisy[..., :1]).all()
    np.testing.assert_array_equal(noisy, changed("noise", grey))
    assert (noisy != changed("noise", grey, seed=1)).any()


def test_brightness_is_pillows():
    for factor in (1.1, 0.9, 0.3):
        wanted = np.asarray(ImageEnhance.Brightness(Image.fromarray(FILM.pixels)).enhance(factor))
        # Pillow cuts fractions off, where these are rounded.
        assert np.abs(changed(f"brightness={factor}") - wanted.astype(int)).max() <= 1


def test_contrast_stretches_about_the_mean():
    grey = smooth_film()
    wanted = np.asarray(ImageEnhance.Contrast(Image.fromarray(grey.pixels)).enhance(1.2))
    # Pillow's mean is a whole number, and it cuts fractions off.
    assert np.abs(changed("contrast", grey) - wanted.astype(int)).max() <= 1
    assert changed("contrast", grey).std() == pytest.approx(1.2 * grey.pixels.std(), rel=0.01)


def test_blur_is_a_convolution_with_a_bell():
    bell = np.exp(-0.5 * np.arange(-4, 5) ** 2)
    bell /= bell.sum()
    padded = np.pad(FILM.pixels.astype(float), ((4, 4), (4, 4), (0, 0)), mode="symmetric")
    rows = sum(w * padded[i : i + 60] for i, w in enumerate(bell))
    wanted = sum(w * rows[:, i : i + 50] for i, w in enumerate(bell))
    assert np.abs(changed("blur 1") - wanted).max() <= 0.501  # rounded
    pillow = Image.fromarray(FILM.pixels).filter(ImageFilter.GaussianBlur(1))
    # Pillow's is three box blurs in the place of a bell.
    assert np.abs(changed("blur 1") - np.asarray(pillow).astype(int)).mean() < 3


def test_rotation_is_counterclockwise_and_brings_no_black_in():
    film = smooth_film()
    wanted = np.asarray(
        Image.fromarray(film.pixels).rotate(5, resample=Image.Resampling.BILINEAR)
    ).astype(int)
    inner = (slice(8, -8), slice(8, -8))
    found = changed("rotation 5", film)
    assert np.abs(found - wanted)[inner].max() <= 1
    assert found.min() >= film.pixels.min()
    quarter = changed("rotation 90", replace(film, pixels=film.pixels[:50],
                                             intensities=film.intensities[:50]))  # fmt: skip
    np.testing.assert_array_equal(quarter, np.rot90(film.pixels[:50]))


def test_five_pixels_become_lighter_or_darker_by_a_tenth_of_the_range():
    grey = np.full((20, 30, 3), 100.0)
    difference = random_pixels(grey, 0.1, 3) - grey
    touched = np.abs(difference).sum(2) > 0
    assert touched.sum() == 5
    np.testing.assert_allclose(np.abs(difference[touched]), 25.5)
    np.testing.assert_array_equal(random_pixels(grey, 0.1, 3) - grey, difference)


def test_a_changed_film_has_a_digest_of_its_own_and_the_first_is_left_alone():
    before = FILM.pixels.copy()
    films = [perturbed(FILM, one) for one in STANDARD]
    films.append(perturbed(FILM, STANDARD[0], seed=1))
    assert len({one.sha256 for one in (*films, FILM)}) == len(STANDARD) + 2
    np.testing.assert_array_equal(FILM.pixels, before)
    assert {one.laterality for one in films} == {FILM.laterality}


def test_the_published_seven_are_read_back_from_their_names():
    assert [one.name for one in STANDARD] == [
        "noise 2", "contrast 1.2", "brightness 1.1", "brightness 0.9", "blur 1", "rotation 5",
        "pixels 0.1",
    ]  # fmt: skip
    assert tuple(read_perturbation(one.name) for one in STANDARD) == STANDARD
    assert [read_perturbation(kind).amount for kind in KINDS] == [2, 1.2, 1.1, 1, 5, 0.1]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("fog", "no change of the image called 'fog'. Allowed: noise"),
        ("", "no change of the image called ''"),
        ("noise=much", "noise cannot be 'much'. Allowed: 0 to 255"),
        ("blur -1", "cannot be '-1'"),
        ("blur nan", "cannot be 'nan'"),
        ("contrast=1", "which changes nothing"),
        ("pixels 2", "Allowed: 0 to 1"),
    ],
)
def test_what_is_no_change_is_refused(name, reason):
    with pytest.raises(ImageError, match=reason):
        read_perturbation(name)


@pytest.mark.parametrize("name", ["brightness=0", "contrast=0", "brightness=10"])
def test_a_change_that_empties_the_image_is_refused(name):
    bright = replace(FILM, pixels=(FILM.pixels // 2 + 100))
    with pytest.raises(ImageError, match="empties the image"):
        perturbed(bright, read_perturbation(name))
