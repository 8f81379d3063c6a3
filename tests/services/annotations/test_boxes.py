"""Boxes of findings, in tables and in COCO's files: what is used, what is said of the rest."""

from medgemma_dash.core.geometry import Box
from medgemma_dash.services.datasets.annotations import read_annotations
from tests.services.annotations.annotation_files import HEADER, coco, reasons, write


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
