"""The one door for annotations: a file or a folder in, findings and problems out."""

import codecs
import json
import os
from pathlib import Path
from typing import NoReturn

from medgemma_dash.services.datasets.annotations.boxes import read_coco, read_nih_table
from medgemma_dash.services.datasets.annotations.findings import (
    AnnotationSet,
    Collector,
    UnusableError,
)
from medgemma_dash.services.datasets.annotations.image_folder import ImageFolder, open_regular
from medgemma_dash.services.datasets.annotations.masks import read_chexlocalize, read_mask_folder

MOST_BYTES = 64 << 20
TABLES = (".csv", ".tsv", ".txt")


def read_annotations(
    source: str | os.PathLike[str], image_folder: str | os.PathLike[str]
) -> AnnotationSet:
    """Read annotations of the pictures in a folder.

    source: NIH's table of boxes (.csv), a .json file with COCO's boxes or CheXlocalize's masks,
        or a folder of mask pictures. Raises nothing: what cannot be used is among the problems.
    """
    path, collector = Path(source), Collector()
    images = ImageFolder.listing(Path(image_folder), without=path)
    if not images:
        collector.problem(Path(image_folder).name, "There is no PNG or JPEG file in this folder.")
    if path.is_dir():
        read_mask_folder(path, images, collector)
        return collector.result()
    try:
        text = _read_text(path)
        if path.suffix.lower() in TABLES:
            read_nih_table(text, images, collector)
        else:
            _read_json(text, images, collector)
    except OSError:
        collector.problem(path.name, "The file cannot be opened.")
    except UnusableError as error:
        collector.problem(path.name, str(error))
    return collector.result()


def _read_text(path: Path) -> str:
    with open_regular(path) as file:
        data: bytes = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise UnusableError(
            f"The file is larger than {MOST_BYTES >> 20} MB, the most that is read."
        )
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        raise UnusableError(
            "The file is not text in UTF-8. Save it so; a spreadsheet calls it CSV UTF-8."
        ) from None


def _read_json(text: str, images: ImageFolder, collector: Collector) -> None:
    content = _parsed(text)
    if not isinstance(content, dict):
        what = "a list, such as COCO's results" if isinstance(content, list) else "no JSON object"
        raise UnusableError(
            f"The file holds {what}. Needed: an object with COCO's images, categories and "
            "annotations, or CheXlocalize's masks or contours."
        )
    if "annotations" in content:
        read_coco(content, images, collector)
    else:
        read_chexlocalize(content, images, collector)


def _parsed(text: str) -> object:
    """Strict JSON: no NaN or infinity, and no key twice; raises UnusableError."""
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_without_doubles)
    except json.JSONDecodeError as error:
        raise UnusableError(f"This is no JSON from line {error.lineno} on.") from None
    except ValueError:  # a number of thousands of digits
        raise UnusableError("The JSON holds a number that is too long.") from None
    except RecursionError:
        raise UnusableError("The JSON is nested too deeply.") from None


def _refuse(_constant: str) -> NoReturn:
    raise UnusableError("The JSON holds a number that is not finite.")


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnusableError("The JSON names something twice in one object.")
    return found
