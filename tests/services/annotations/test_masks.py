"""Masks of findings: run lengths, CheXlocalize's files, and pictures of masks."""

import numpy as np
import pytest

from medgemma_dash.core.errors import ImageError
from medgemma_dash.services.datasets.annotations import read_annotations
from medgemma_dash.services.datasets.annotations.run_lengths import RunLengths, unpacked
from tests.services.annotations.annotation_files import (
    HEIGHT,
    WIDTH,
    packed,
    random_mask,
    reasons,
    run_lengths,
    save,
    write,
)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("write_counts", [packed, run_lengths])
def test_run_lengths_of_both_kinds_give_their_mask_back(seed, write_counts):
    mask = random_mask(seed, share=(0.02, 0.3, 0.9)[seed % 3])
    counts = write_counts(mask)
    counts = counts if isinstance(counts, str) else tuple(counts)
    assert (RunLengths((HEIGHT, WIDTH), counts).draw(HEIGHT, WIDTH) == mask).all()


def test_packed_run_lengths_of_cocos_own_tools():
    """Written by pycocotools 2.0.11 for a mask of 9 x 7 with rows 2 to 4 of columns 1 to 5."""
    mask = np.zeros((9, 7), bool)
    mask[2:5, 1:6] = True
    assert unpacked(";3600000007") == run_lengths(mask)
    assert (RunLengths((9, 7), ";3600000007").draw(9, 7) == mask).all()


def test_chexlocalizes_masks_are_drawn_when_asked_for(images):
    masks = {"Edema": random_mask(1), "Lung Opacity": random_mask(2)}
    written = {
        label: {"size": [HEIGHT, WIDTH], "counts": packed(mask)} for label, mask in masks.items()
    }
    written["Fracture"] = {"size": [HEIGHT, WIDTH], "counts": packed(np.zeros((HEIGHT, WIDTH)))}
    content = {"patient1_study2_view1_frontal": written}
    found = read_annotations(write(images, "gt.json", content), images)
    assert found.problems == ()
    assert [one.label for one in found.findings] == list(masks)  # an absent finding has no mask
    for one in found.findings:
        assert one.image == images / "patient1/study2/view1_frontal.jpg"
        assert (one.mask() == masks[one.label]).all()
        assert isinstance(one.source.counts, str)  # as written: pixels are not kept


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        ("text", "not an object"),
        ({"size": [40, 50]}, "neither text nor a list"),
        ({"size": [40], "counts": "0"}, "not [height, width]"),
        ({"size": [40, -50], "counts": "0"}, "not [height, width]"),
        ({"size": [40, 50], "counts": [1999]}, "add up"),
        ({"size": [40, 50], "counts": [1999.0, 1]}, "whole numbers"),
        ({"size": [40, 50], "counts": [2001, -1]}, "whole numbers"),
        ({"size": [40, 50], "counts": "\u00e9"}, "damaged"),
        ({"size": [40, 50], "counts": "P"}, "cut off"),
        ({"size": [40, 50], "counts": "o" * 1000}, "damaged"),
        ({"size": [10**9, 10**9], "counts": [1, 10**18 - 1]}, "another size"),
        ({"size": [50, 40], "counts": [0, 2000]}, "another size"),
    ],
)
def test_damaged_masks_are_left_out_with_a_reason(images, mask, reason):
    content = {"a": {"Edema": mask, "Mass": {"size": [40, 50], "counts": [0, 2000]}}}
    found = read_annotations(write(images, "gt.json", content), images)
    assert reason in reasons(found)["a, Edema"]
    (one,) = found.findings
    assert one.label == "Mass"


def test_pictures_of_masks_take_the_folders_name_and_are_read_late(images):
    masks = images / "masks"  # below the pictures, and not mistaken for pictures
    wanted = random_mask(3)
    path = save(masks / "Mass" / "a.png", wanted.astype(np.uint8))  # 0 and 1, not 255
    save(masks / "Mass" / "b.png", np.zeros((HEIGHT, WIDTH + 1), np.uint8))
    save(masks / "Mass" / "c.png", wanted.astype(np.uint8))
    save(masks / "Nodule" / "a.png", wanted.astype(np.uint8) * 255)
    found = read_annotations(masks, images)
    assert [(one.label, one.image.name) for one in found.findings] == [
        ("Mass", "a.png"),
        ("Nodule", "a.png"),
    ]
    for one in found.findings:
        assert (one.mask() == wanted).all()
    assert "another size" in reasons(found)["Mass/b.png"]
    assert "no such picture" in reasons(found)["Mass/c.png"]
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ImageError):
        found.findings[0].mask()
    path.unlink()
    with pytest.raises(ImageError, match="any more"):
        found.findings[0].mask()


def test_thousands_of_masks_cost_little_memory(images):
    import tracemalloc

    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[5:30, 5:30] = True
    written = {f"Finding {n}": {"size": [40, 50], "counts": packed(mask)} for n in range(3000)}
    path = write(images, "gt.json", {"a": written})
    tracemalloc.start()
    try:
        found = read_annotations(path, images)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found.findings) == 3000
    assert held < 3000 * 1500  # bytes; a drawn mask of this size alone has 2000
