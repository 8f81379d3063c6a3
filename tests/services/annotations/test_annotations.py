"""Readers of annotations, on small files made by code: what is used, what is said of the rest."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.geometry import Box
from medgemma_dash.services.datasets.annotations import (
    AnnotationSet,
    findings,
    read_annotations,
    reading,
)
from medgemma_dash.services.datasets.annotations.run_lengths import RunLengths, unpacked

HEADER = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
HEIGHT, WIDTH = 40, 50


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for name in ("a.png", "b.jpg", "patient1/study2/view1_frontal.jpg"):
        save(folder / name, np.full((HEIGHT, WIDTH), 90, np.uint8))
    return folder


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def write(images: Path, name: str, content: object) -> Path:
    path = images.parent / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def reasons(found: AnnotationSet) -> dict[str, str]:
    return {problem.place: problem.reason for problem in found.problems}


def packed(mask: np.ndarray) -> str:
    """COCO's packed run lengths, written from their description."""
    text = ""
    runs = run_lengths(mask)
    for index, run in enumerate(runs):
        number = run - runs[index - 2] if index > 2 else run
        while True:
            bits, number = number & 31, number >> 5
            done = (number == 0 and not bits & 16) or (number == -1 and bits & 16)
            text += chr(48 + (bits if done else bits | 32))
            if done:
                break
    return text


def run_lengths(mask: np.ndarray) -> list[int]:
    runs, value = [0], 0
    for pixel in mask.T.ravel().tolist():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


def random_mask(seed: int, share: float = 0.3) -> np.ndarray:
    return np.random.default_rng(seed).random((HEIGHT, WIDTH)) < share


def test_lines_of_nihs_table_become_boxes_in_pixels(images):
    table = HEADER + "a.png,Atelectasis,10.5,4,20,6.25,,,\nb.jpg,Mass,0,0,50,40,,,\n"
    found = read_annotations(write(images, "BBox_List.csv", table), images)
    assert found.problems == ()
    first, second = found.findings
    assert (first.image.name, first.label, first.size) == ("a.png", "Atelectasis", (40, 50))
    assert first.boxes == (Box(4.0, 10.5, 10.25, 30.5),)
    mask = first.mask()
    assert mask.shape == (40, 50)
    assert mask[4:11, 10:31].all()
    assert mask.sum() == 7 * 21
    assert second.mask().all()


def test_boxes_of_one_finding_come_together_and_do_not_add_up(images):
    table = HEADER + "a.png,Mass,0,0,4,4\na.png,Nodule,1,1,2,2\na.png,Mass,2,2,4,4\n"
    found = read_annotations(write(images, "boxes.csv", table), images)
    assert [(one.label, len(one.boxes)) for one in found.findings] == [("Mass", 2), ("Nodule", 1)]
    assert found.findings[0].mask().sum() == 16 + 16 - 4


def test_what_cannot_be_used_is_told_by_line_and_the_rest_is_used(images):
    table = HEADER + "\n".join(
        [
            "unknown.png,Mass,1,1,5,5",
            "a.png,Mass,45,30,20,20",
            "a.png,Mass,50,0,5,5",
            "a.png,Mass,1,1,0,5",
            "a.png,Mass,1,nan,5,5",
            "a.png,Mass,one,1,5,5",
            "a.png,,1,1,5,5",
            "a.png,Mass",
            "",
            "../../etc/b.jpg,Mass,1,1,5,5",
        ]
    )
    found = read_annotations(write(images, "boxes.csv", table), images)
    said = reasons(found)
    assert "no such picture" in said["line 2"]
    assert "unknown.png" in said["line 2"]
    assert "cut" in said["line 3"]
    assert "outside" in said["line 4"]
    assert "no area" in said["line 5"]
    assert "not finite" in said["line 6"]
    assert "four numbers" in said["line 7"]
    assert "no name" in said["line 8"]
    assert "too short" in said["line 9"]
    assert len(said) == 8
    cut, by_name = found.findings
    assert cut.boxes == (Box(30.0, 45.0, 40.0, 50.0),)
    assert by_name.image == images / "b.jpg"  # the name counts, and no path outside the folder


def test_a_table_without_its_columns_says_which(images):
    found = read_annotations(write(images, "b.csv", "Image Index,x,y,w\na.png,1,1,1\n"), images)
    assert found.findings == ()
    assert "findinglabel, h" in reasons(found)["line 1"]
    assert "line 1" in reasons(read_annotations(write(images, "empty.csv", ""), images))


def coco(**changes: object) -> dict[str, object]:
    return {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 50, "height": 40}],
        "categories": [{"id": 3, "name": "Pleural  Effusion"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}],
    } | changes


def test_cocos_boxes_find_their_picture_whatever_its_ending(images):
    found = read_annotations(write(images, "boxes.json", coco()), images)
    assert found.problems == ()
    (one,) = found.findings
    assert (one.image, one.label) == (images / "a.png", "Pleural Effusion")
    assert one.boxes == (Box(2.0, 1.0, 6.0, 4.0),)


def test_coco_entries_that_cannot_be_used_are_told_by_number(images):
    entries = [
        {"image_id": 8, "category_id": 3, "bbox": [1, 2, 3, 4]},
        {"image_id": 7, "category_id": [3], "bbox": [1, 2, 3, 4]},
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, True, 4]},
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, 3]},
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, 10**400, 4]},
        "text",
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]},
    ]
    found = read_annotations(write(images, "boxes.json", coco(annotations=entries)), images)
    assert [problem.place for problem in found.problems] == [f"annotation {n}" for n in range(1, 7)]
    assert len(found.findings) == 1


def test_boxes_drawn_on_a_picture_of_another_size_are_left_out(images):
    stated = [{"id": 7, "file_name": "a.png", "width": 500, "height": 400}]
    found = read_annotations(write(images, "boxes.json", coco(images=stated)), images)
    assert found.findings == ()
    assert "another size than 50 x 40" in reasons(found)["annotation 1"]


def test_missing_lists_are_problems(images):
    content = {"annotations": [{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}]}
    said = reasons(read_annotations(write(images, "boxes.json", content), images))
    assert set(said) == {"images", "categories", "annotation 1"}


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


def test_a_name_of_two_pictures_is_the_name_of_neither(images):
    save(images / "other" / "a.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    found = read_annotations(write(images, "b.csv", HEADER + "a.png,Mass,1,1,2,2\n"), images)
    assert "Several pictures" in reasons(found)["line 2"]


def test_a_damaged_or_turned_picture_is_a_problem(images):
    (images / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    turned = Image.new("L", (WIDTH, HEIGHT))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(images / "b.jpg", exif=exif)
    table = HEADER + "a.png,Mass,1,1,2,2\nb.jpg,Mass,1,1,2,2\n"
    said = reasons(read_annotations(write(images, "b.csv", table), images))
    assert "cannot be read" in said["line 2"]
    assert "EXIF" in said["line 3"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no JSON"),
        ("[1, 2]", "a list"),
        ('{"a": NaN}', "not finite"),
        ('{"a": {}, "a": {}}', "twice"),
        ("[" * 100_000, "nested"),
        ('{"a": ' + "9" * 5000 + "}", "too long"),
    ],
)
def test_what_is_no_strict_json_is_one_problem(images, content, reason):
    found = read_annotations(write(images, "x.json", content), images)
    assert found.findings == ()
    assert reason in reasons(found)["x.json"]


def test_files_that_cannot_be_opened_or_are_no_text_are_one_problem(images, tmp_path, monkeypatch):
    assert (
        "cannot be opened" in reasons(read_annotations(tmp_path / "none.csv", images))["none.csv"]
    )
    os.mkfifo(tmp_path / "pipe.json")
    assert (
        "cannot be opened" in reasons(read_annotations(tmp_path / "pipe.json", images))["pipe.json"]
    )
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in reasons(read_annotations(tmp_path / "binary.csv", images))["binary.csv"]
    monkeypatch.setattr(reading, "MOST_BYTES", 10)
    path = write(images, "long.csv", HEADER)
    assert "larger" in reasons(read_annotations(path, images))["long.csv"]


def test_an_empty_folder_is_said_to_be_empty(images, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    said = reasons(read_annotations(empty, empty))
    assert "no PNG" in said["empty"]


def test_many_problems_are_counted_and_not_all_listed(images, monkeypatch):
    monkeypatch.setattr(findings, "MOST_PROBLEMS", 5)
    table = HEADER + "unknown.png,Mass,1,1,5,5\n" * 12
    found = read_annotations(write(images, "b.csv", table), images)
    assert len(found.problems) == 5
    assert found.unlisted_problems == 7


def test_names_from_the_file_are_shown_short_and_printable(images):
    table = HEADER + f'"{"x" * 500}\x1b[31m",Mass,1,1,5,5\n"a.png","Ma\x07ss",1,1,5,5\n'
    said = reasons(read_annotations(write(images, "b.csv", table), images))
    assert len(said["line 2"]) < 200
    assert all(reason.isprintable() for reason in said.values())
    assert "no name" in said["line 3"]


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
