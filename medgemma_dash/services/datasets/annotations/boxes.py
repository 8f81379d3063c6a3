"""Boxes: the table of NIH ChestX-ray8, and COCO's JSON, as MS-CXR has it."""

import csv
import re
from collections.abc import Sequence

from medgemma_dash.services.datasets.annotations.findings import (
    MOST_ENTRIES,
    Collector,
    UnusableError,
    read_label,
    shortened,
)
from medgemma_dash.services.datasets.annotations.image_folder import ImageFolder

# NIH's header: Image Index, Finding Label, Bbox [x, y, w, h]
COLUMNS = ("imageindex", "findinglabel", "x", "y", "w", "h")


def read_nih_table(text: str, images: ImageFolder, collector: Collector) -> None:
    """Read BBox_List: in each line a picture, a finding, and a box: left, top, width, height."""
    lines = csv.reader(text.splitlines())
    try:
        header = [re.sub(r"bbox|[^a-z]", "", name.lower()) for name in next(lines, [])]
        if missing := [name for name in COLUMNS if name not in header]:
            collector.problem(
                "line 1",
                f"Missing columns: {', '.join(missing)}. "
                "Needed: Image Index, Finding Label, Bbox [x, y, w, h].",
            )
            return
        places = [header.index(name) for name in COLUMNS]
        for line in lines:
            if lines.line_num > MOST_ENTRIES:
                collector.problem(f"line {lines.line_num}", "The rest of the table is not read.")
                return
            if any(line):
                _read_line(f"line {lines.line_num}", line, places, images, collector)
    except csv.Error:
        collector.problem(f"line {lines.line_num}", "From here on this is no table.")


def _read_line(
    place: str,
    line: Sequence[str],
    places: Sequence[int],
    images: ImageFolder,
    collector: Collector,
) -> None:
    if len(line) <= max(places):
        collector.problem(place, "The line is too short.")
        return
    name, label, *numbers = (line[index] for index in places)
    try:
        left, top, width, height = (float(number) for number in numbers)
    except ValueError:
        collector.problem(place, "The box is not four numbers.")
        return
    add_box(place, name, label, (left, top, width, height), images, collector)


def read_coco(content: dict[str, object], images: ImageFolder, collector: Collector) -> None:
    """Read COCO's lists: images (id, file_name), categories (id, name), annotations with bbox."""
    pictures = _by_id(content, "images", collector)
    categories = _by_id(content, "categories", collector)
    for number, entry in enumerate(_entries(content, "annotations", collector)):
        place = f"annotation {number + 1}"
        if not isinstance(entry, dict):
            collector.problem(place, "The annotation is not an object.")
            continue
        picture = _looked_up(pictures, entry.get("image_id"))
        category = _looked_up(categories, entry.get("category_id"))
        if picture is None or category is None:
            what = "image_id" if picture is None else "category_id"
            collector.problem(place, f"Its {what} is not listed.")
            continue
        box = entry.get("bbox")
        if not (isinstance(box, list) and len(box) == 4 and all(_is_number(n) for n in box)):
            collector.problem(place, "Its bbox is not four numbers.")
            continue
        stated = (picture.get("height"), picture.get("width"))
        left, top, width, height = (float(number) for number in box)
        add_box(
            place,
            picture.get("file_name"),
            category.get("name"),
            (left, top, width, height),
            images,
            collector,
            stated=None if None in stated else stated,
        )


def add_box(
    place: str,
    name: object,
    label: object,
    box: tuple[float, float, float, float],
    images: ImageFolder,
    collector: Collector,
    stated: tuple[object, object] | None = None,
) -> None:
    """Add a box (left, top, width, height) drawn on a picture of the `stated` (height, width)."""
    read = read_label(label)
    if read is None:
        collector.problem(place, "The finding has no name that could be shown.")
        return
    try:
        image, size = images.find(name)
    except UnusableError as error:
        collector.problem(place, f"{shortened(str(name))}: {error}")
        return
    if stated is not None and stated != size:
        collector.problem(place, other_size(size))
        return
    collector.add_box(place, image, size, read, box)


def other_size(size: tuple[int, int]) -> str:
    """The reason for leaving out what was drawn on a picture of another size."""
    return f"It was drawn on a picture of another size than {size[1]} x {size[0]} pixels."


def _by_id(
    content: dict[str, object], name: str, collector: Collector
) -> dict[object, dict[str, object]]:
    found: dict[object, dict[str, object]] = {}
    for entry in _entries(content, name, collector):
        if isinstance(entry, dict) and isinstance(entry.get("id"), int | str):
            found[entry["id"]] = entry
    return found


def _looked_up(entries: dict[object, dict[str, object]], key: object) -> dict[str, object] | None:
    return entries.get(key) if isinstance(key, int | str) else None


def _entries(content: dict[str, object], name: str, collector: Collector) -> list[object]:
    entries = content.get(name)
    if not isinstance(entries, list):
        collector.problem(name, "There is no such list in the file.")
        return []
    if len(entries) > MOST_ENTRIES:
        collector.problem(name, f"Only the first {MOST_ENTRIES} are read.")
    return entries[:MOST_ENTRIES]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
