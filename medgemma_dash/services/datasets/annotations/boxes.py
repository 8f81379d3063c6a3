"""Boxes: the table of NIH ChestX-ray8, and COCO's JSON, as MS-CXR has it."""

import csv
import math
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
from medgemma_dash.services.datasets.annotations.run_lengths import extent, read_runs

# NIH's header: Image Index, Finding Label, Bbox [x, y, w, h]
COLUMNS = ("imageindex", "findinglabel", "x", "y", "w", "h")
SEPARATORS = (",", ";", "\t", "|")


def read_nih_table(text: str, images: ImageFolder, collector: Collector) -> None:
    """Read BBox_List: in each line a picture, a finding, and a box: left, top, width, height.

    Between the columns stand commas, semicolons, tabs or bars; where they are no commas, a comma
    in a number is its point.
    """
    rows = text.splitlines()
    try:
        separator, header = _header(rows[0] if rows else "")
        if missing := [name for name in COLUMNS if name not in header]:
            collector.problem(
                "line 1",
                f"Missing columns: {', '.join(missing)}. Needed: Image Index, Finding Label, "
                "Bbox [x, y, w, h], with commas, semicolons, tabs or bars between them.",
            )
            return
        places = [header.index(name) for name in COLUMNS]
        lines = csv.reader(rows[1:], delimiter=separator, skipinitialspace=True)
        for line in lines:
            number = lines.line_num + 1
            if number > MOST_ENTRIES:
                collector.problem(f"line {number}", "The rest of the table is not read.")
                return
            if any(cell.strip() for cell in line):
                points = separator != ","
                _read_line(f"line {number}", line, places, images, collector, points=points)
    except csv.Error:
        collector.problem(f"line {lines.line_num + 1}", "From here on this is no table.")


def _header(line: str) -> tuple[str, list[str]]:
    """The separator that finds most of the columns, and their names without what is around them."""

    def names(separator: str) -> list[str]:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
        return [re.sub(r"bbox|[^a-z]", "", name.lower()) for name in cells]

    return max(
        ((separator, names(separator)) for separator in SEPARATORS),
        key=lambda one: len({*one[1]} & {*COLUMNS}),
    )


def _read_line(
    place: str,
    line: Sequence[str],
    places: Sequence[int],
    images: ImageFolder,
    collector: Collector,
    *,
    points: bool,
) -> None:
    if len(line) <= max(places):
        collector.problem(place, "The line is too short.")
        return
    name, label, *numbers = (line[index].strip() for index in places)
    if points:
        numbers = [number.replace(",", ".") for number in numbers]
    try:
        left, top, width, height = (float(number) for number in numbers)
    except ValueError:
        collector.problem(place, "The box is not four numbers.")
        return
    add_box(place, name, label, (left, top, width, height), images, collector)


def read_coco(content: dict[str, object], images: ImageFolder, collector: Collector) -> None:
    """Read COCO's lists: images (id, file_name), categories (id, name), and annotations.

    An annotation without a bbox has that of its polygons or run lengths.
    """
    pictures = _by_id(content, "images", collector)
    categories = _by_id(content, "categories", collector)
    for number, entry in enumerate(_entries(content, "annotations", collector)):
        place = f"annotation {number + 1}"
        if not isinstance(entry, dict):
            collector.problem(place, "The annotation is not an object.")
            continue
        picture = pictures.get(_key(entry.get("image_id")))
        category = categories.get(_key(entry.get("category_id")))
        if picture is None or category is None:
            what = "image_id" if picture is None else "category_id"
            collector.problem(place, f"Its {what} is not listed.")
            continue
        stated = (picture.get("height"), picture.get("width"))
        try:
            size = None if None in stated else tuple(map(_whole, stated))
            left, top, width, height = _box(entry)
        except UnusableError as error:
            collector.problem(place, str(error))
            continue
        add_box(
            place,
            picture.get("file_name"),
            category.get("name"),
            (left, top, width, height),
            images,
            collector,
            stated=size,
        )


def _box(entry: dict[str, object]) -> tuple[float, float, float, float]:
    """Left, top, width and height; of what is drawn where no box is. Raises UnusableError."""
    box, drawn = entry.get("bbox"), entry.get("segmentation")
    if isinstance(box, list) and len(box) == 4:
        left, top, width, height = map(_number, box)
        return left, top, width, height
    if box:
        raise UnusableError("Its bbox is not four numbers.")
    if isinstance(drawn, list) and drawn:
        corners = [corner for polygon in drawn for corner in _corners(polygon)]
        xs, ys = zip(*corners, strict=True)
        return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
    if isinstance(drawn, dict):
        return extent(read_runs(drawn))
    raise UnusableError("It has neither a bbox of four numbers nor a segmentation.")


def _corners(polygon: object) -> list[tuple[float, float]]:
    """A polygon as COCO writes it, x and y in turn."""
    if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
        raise UnusableError("Its segmentation is no list of polygons: x and y in turn.")
    numbers = [_number(one) for one in polygon]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _number(value: object) -> float:
    """A number, or a text that is one; raises UnusableError."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not abs(number) < 1e9:
        raise UnusableError("Its bbox or segmentation holds something other than numbers.")
    return number


def _whole(value: object) -> int:
    """A picture's side, as a number or a text; raises UnusableError."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number) or number != int(number):
        raise UnusableError("Its picture's height and width are not whole numbers.")
    return int(number)


def add_box(
    place: str,
    name: object,
    label: object,
    box: tuple[float, float, float, float],
    images: ImageFolder,
    collector: Collector,
    stated: tuple[int, ...] | None = None,
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
) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for entry in _entries(content, name, collector):
        if isinstance(entry, dict) and (key := _key(entry.get("id"))):
            found[key] = entry
    return found


def _key(value: object) -> str:
    """An id as text: some programs write 7, others "7". Empty for what is none."""
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""


def _entries(content: dict[str, object], name: str, collector: Collector) -> list[object]:
    entries = content.get(name)
    if not isinstance(entries, list):
        collector.problem(name, "There is no such list in the file.")
        return []
    if len(entries) > MOST_ENTRIES:
        collector.problem(name, f"Only the first {MOST_ENTRIES} are read.")
    return entries[:MOST_ENTRIES]
