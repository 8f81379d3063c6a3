"""Files and pictures that cannot be used are told as problems, short and printable."""

import os

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.services.datasets.annotations import findings, read_annotations, reading
from tests.services.annotations.annotation_files import HEADER, HEIGHT, WIDTH, reasons, save, write


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
