"""Annotation files of the kinds that data sets and spreadsheets hold, about pictures made here."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.core.geometry import Box
from medgemma_dash.services.datasets.annotations import AnnotationSet, read_annotations

HEIGHT, WIDTH = 48, 40
VIEWS = [f"patient{n}/study1/view1_frontal.jpg" for n in (64541, 64542, 64543)]


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((HEIGHT, WIDTH), 90, np.uint8)).save(path)
    return path


def coco(names: list[str], annotation: dict[str, object] | None = None, **size: object) -> str:
    size = size or {"width": WIDTH, "height": HEIGHT}
    return json.dumps(
        {
            "images": [{"id": i, "file_name": name, **size} for i, name in enumerate(names)],
            "categories": [{"id": 1, "name": "Pneumothorax"}],
            "annotations": [
                {"image_id": i, "category_id": 1, "bbox": [1, 2, 3, 4]} | (annotation or {})
                for i, _ in enumerate(names)
            ],
        }
    )


def read(tmp_path: Path, name: str, content: str | bytes) -> AnnotationSet:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_annotations(path, tmp_path / "images")


def images_of(found: AnnotationSet, tmp_path: Path) -> list[str]:
    assert found.problems == ()
    return [one.image.relative_to(tmp_path / "images").as_posix() for one in found.findings]


def only_reason(found: AnnotationSet) -> str:
    assert found.findings == ()
    (problem,) = found.problems
    return problem.reason


@pytest.mark.parametrize(
    "written",
    [
        "{}",
        "valid/{}",
        "CheXpert-v1.0/valid/{}",
        "C:\\data\\valid\\{}",
        "./valid/{}",
        "VALID/{}",
    ],
)
def test_a_path_names_the_picture_with_the_longest_tail(tmp_path, written):
    for view in VIEWS:
        picture(tmp_path / "images" / "valid" / view)
    names = [written.format(view) for view in VIEWS]
    if "\\" in written:
        names = [name.replace("/", "\\") for name in names]
    found = read(tmp_path, "boxes.json", coco(names))
    assert images_of(found, tmp_path) == [f"valid/{view}" for view in VIEWS]
    lines = "".join(f"{name},Mass,1,2,3,4\n" for name in names)
    table = read(tmp_path, "boxes.csv", "Image Index,Finding Label,Bbox [x,y,w,h]\n" + lines)
    assert images_of(table, tmp_path) == [f"valid/{view}" for view in VIEWS]


def test_another_patients_picture_of_the_same_name_is_never_taken(tmp_path):
    picture(tmp_path / "images" / VIEWS[0])
    found = read(tmp_path, "boxes.json", coco([VIEWS[1]]))
    assert "lie in other folders" in only_reason(found)


def test_a_path_that_fits_twice_is_told(tmp_path):
    for folder in ("train", "valid"):
        picture(tmp_path / "images" / folder / VIEWS[0])
    assert "Write their folders" in only_reason(read(tmp_path, "b.json", coco([VIEWS[0]])))
    found = read(tmp_path, "b.json", coco(["train/" + VIEWS[0]]))
    assert images_of(found, tmp_path) == ["train/" + VIEWS[0]]


def test_a_whole_path_is_not_confused_with_a_copy_further_down(tmp_path):
    for place in ("", "copy/"):
        picture(tmp_path / "images" / (place + VIEWS[0]))
    assert images_of(read(tmp_path, "b.json", coco([VIEWS[0]])), tmp_path) == [VIEWS[0]]


@pytest.mark.parametrize("name", ["Case1.PNG", "case1.png", "Case1.dcm", "Case1.dicom", "Case1"])
def test_a_name_may_differ_in_case_or_have_the_originals_ending(tmp_path, name):
    picture(tmp_path / "images" / "Case1.PNG")
    assert images_of(read(tmp_path, "b.json", coco([name])), tmp_path) == ["Case1.PNG"]


def test_letter_case_counts_where_it_must(tmp_path):
    for name in ("a.png", "A.png"):
        picture(tmp_path / "images" / name)
    assert images_of(read(tmp_path, "b.json", coco(["A.png"])), tmp_path) == ["A.png"]


def test_chexlocalizes_contours_are_filled(tmp_path):
    picture(tmp_path / "images" / VIEWS[0])
    corners = [[10.5, 20], [30, 20], [30, 40], [10.5, 40]]
    entry = {"img_size": [HEIGHT, WIDTH], "Mass": [corners, [[1, 1], [2, 2]]], "Edema": []}
    found = read(tmp_path, "gt.json", json.dumps({"patient64541_study1_view1_frontal": entry}))
    assert found.problems == ()
    (one,) = found.findings  # a finding without a contour is absent
    mask = one.mask()
    assert mask[20:41, 11:31].all()
    assert mask.sum() == pytest.approx(21 * 20.5, abs=21)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"Mass": [[[1, 1], [2, 2], [3, 1]]]}, "img_size"),
        ({"img_size": [HEIGHT, WIDTH + 1], "Mass": [[[1, 1], [2, 2], [3, 1]]]}, "another size"),
        ({"img_size": [HEIGHT, WIDTH], "Mass": [[[1, 1], [2, "x"], [3, 1]]]}, "[x, y]"),
        ({"img_size": [HEIGHT, WIDTH], "Mass": [1, 2]}, "[x, y]"),
    ],
)
def test_contours_that_cannot_be_read_say_why(tmp_path, entry, reason):
    picture(tmp_path / "images" / "a.png")
    assert reason in only_reason(read(tmp_path, "gt.json", json.dumps({"a": entry})))


TABLE = "Image Index,Finding Label,Bbox [x,y,w,h],,,\r\na.png,Mass,2.5,3,4.25,5,,,\r\n"
TABLES = {
    "commas": TABLE.encode(),
    "tabs": TABLE.replace(",", "\t").encode(),
    "bars": TABLE.replace(",", "|").encode(),
    "semicolons": b"Image Index;Finding Label;Bbox [x;y;w;h]\r\na.png;Mass;2,5;3;4,25;5\r\n",
    "blanks": b"Image Index, Finding Label , Bbox [x, y, w, h]\n  a.png , Mass , 2.5, 3, 4.25, 5\n",
    "quotes": b'"Image Index", "Finding Label", x, "y", "w", "h"\n"a.png","Mass","2.5",3,4.25,5\n',
    "blank lines": TABLE.replace("\r\n", "\r\n,, ,,,,,,\r\n").encode(),
    "old line ends": TABLE.replace("\r\n", "\r").encode(),
    "UTF-16": TABLE.replace(",", "\t").encode("utf-16"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_read_whatever_stands_between_its_columns(tmp_path, kind):
    picture(tmp_path / "images" / "a.png")
    found = read(tmp_path, "boxes.csv", TABLES[kind])
    assert images_of(found, tmp_path) == ["a.png"]
    assert found.findings[0].label == "Mass"
    assert found.findings[0].boxes == (Box(3.0, 2.5, 8.0, 6.75),)


def test_a_table_in_another_encoding_or_of_other_columns_says_what_was_expected(tmp_path):
    picture(tmp_path / "images" / "a.png")
    assert "CSV UTF-8" in only_reason(read(tmp_path, "b.csv", "Müller.png".encode("cp1252")))
    reason = only_reason(read(tmp_path, "b.csv", "patientId;x;y\n"))
    assert "Missing columns: imageindex, findinglabel, w, h" in reason
    assert "semicolons, tabs" in reason


INSIDE = np.zeros((HEIGHT, WIDTH), np.bool_)
INSIDE[10:30, 5:25] = True


def coloured(*colour: int) -> Image.Image:
    pixels = np.zeros((HEIGHT, WIDTH, len(colour)), np.uint8)
    pixels[INSIDE] = colour
    return Image.fromarray(pixels)


def with_palette(*colours: int) -> Image.Image:
    labels = Image.fromarray(INSIDE.astype(np.uint8))
    labels.putpalette([*colours, *([0] * (768 - len(colours)))])
    return labels


MASKS = {
    "white": coloured(255, 255, 255),
    "a dark class": coloured(0, 0, 1),
    "a class of red 1": coloured(1, 0, 0),
    "a dark palette": with_palette(0, 0, 0, 0, 0, 3),
    "a palette of black alone": with_palette(),
    "black on transparent": coloured(0, 0, 0, 255),
    "grey and alpha": coloured(1, 255),
    "16 bits": Image.fromarray(INSIDE.astype(np.uint16)),
    "one bit": Image.fromarray(INSIDE),
    "0 and 1": Image.fromarray(INSIDE.astype(np.uint8)),
}


@pytest.mark.parametrize("kind", MASKS)
def test_what_is_not_background_belongs_to_the_mask(tmp_path, kind):
    picture(tmp_path / "images" / "a.png")
    (tmp_path / "masks" / "Mass").mkdir(parents=True)
    MASKS[kind].save(tmp_path / "masks" / "Mass" / "a.png")
    found = read_annotations(tmp_path / "masks", tmp_path / "images")
    assert found.problems == ()
    assert (found.findings[0].mask() == INSIDE).all()


def test_a_colour_under_full_transparency_is_background(tmp_path):
    pixels = np.full((HEIGHT, WIDTH, 4), (255, 0, 0, 0), np.uint8)
    pixels[INSIDE] = (255, 0, 0, 255)
    picture(tmp_path / "images" / "a.png")
    (tmp_path / "masks" / "Mass").mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "masks" / "Mass" / "a.png")
    found = read_annotations(tmp_path / "masks", tmp_path / "images")
    assert (found.findings[0].mask() == INSIDE).all()


@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH), (HEIGHT, WIDTH, 3)])
def test_an_empty_mask_is_a_listed_problem(tmp_path, shape):
    picture(tmp_path / "images" / "a.png")
    (tmp_path / "masks" / "Mass").mkdir(parents=True)
    Image.fromarray(np.zeros(shape, np.uint8)).save(tmp_path / "masks" / "Mass" / "a.png")
    found = read_annotations(tmp_path / "masks", tmp_path / "images")
    assert "The mask is empty" in only_reason(found)


POLYGON = {"bbox": [], "segmentation": [[1, 2, 4, 2, 4, 6, 1, 6]]}
# Columns of 48 pixels: 2 to 5 of columns 1 to 3.
RUNS = [HEIGHT + 2, 4, HEIGHT - 4, 4, HEIGHT - 4, 4]
RUN_LENGTHS = {
    "bbox": None,
    "segmentation": {
        "size": [HEIGHT, WIDTH],
        "counts": [*RUNS, HEIGHT * WIDTH - sum(RUNS)],
    },
}


@pytest.mark.parametrize(
    ("annotation", "size"),
    [
        (None, {"width": str(WIDTH), "height": str(HEIGHT)}),
        (None, {"width": float(WIDTH), "height": f"{HEIGHT}.0"}),
        (None, {"width": None, "height": None}),
        ({"image_id": "0", "category_id": "1"}, {}),
        ({"bbox": ["1", "2.0", 3, 4]}, {}),
        (POLYGON, {}),
        (RUN_LENGTHS, {}),
    ],
)
def test_coco_with_texts_for_numbers_or_without_boxes_is_read(tmp_path, annotation, size):
    picture(tmp_path / "images" / "a.png")
    found = read(tmp_path, "boxes.json", coco(["a.png"], annotation, **size))
    assert images_of(found, tmp_path) == ["a.png"]
    assert found.findings[0].boxes == (Box(2.0, 1.0, 6.0, 4.0),)


def test_a_run_over_the_end_of_a_column_reaches_both_edges(tmp_path):
    picture(tmp_path / "images" / "a.png")
    runs = [HEIGHT - 1, 2, HEIGHT * (WIDTH - 1) - 1]
    drawn = {"bbox": [], "segmentation": {"size": [HEIGHT, WIDTH], "counts": runs}}
    found = read(tmp_path, "boxes.json", coco(["a.png"], drawn))
    assert found.findings[0].boxes == (Box(0.0, 0.0, float(HEIGHT), 2.0),)


@pytest.mark.parametrize(
    ("annotation", "size", "reason"),
    [
        (None, {"width": "wide", "height": HEIGHT}, "height and width are not whole numbers"),
        (None, {"width": str(WIDTH + 1), "height": HEIGHT}, "another size"),
        ({"bbox": []}, {}, "neither a bbox of four numbers nor a segmentation"),
        ({"bbox": [], "segmentation": [[1, 2, 3]]}, {}, "no list of polygons"),
        ({"bbox": [1, 2, "x", 4]}, {}, "other than numbers"),
        ({"bbox": [], "segmentation": {"size": [2, 2], "counts": [4]}}, {}, "Nothing belongs"),
    ],
)
def test_coco_that_cannot_be_read_says_why(tmp_path, annotation, size, reason):
    picture(tmp_path / "images" / "a.png")
    assert reason in only_reason(read(tmp_path, "b.json", coco(["a.png"], annotation, **size)))


def test_cocos_results_are_named_as_such(tmp_path):
    picture(tmp_path / "images" / "a.png")
    results = [{"image_id": 0, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.9}]
    assert "COCO's results" in only_reason(read(tmp_path, "r.json", json.dumps(results)))
