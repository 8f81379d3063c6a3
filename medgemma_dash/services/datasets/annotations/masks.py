"""Masks: CheXlocalize's JSON of run lengths or contours, and folders of mask pictures."""

from pathlib import Path

from medgemma_dash.core.errors import ImageError
from medgemma_dash.services.datasets.annotations.boxes import other_size
from medgemma_dash.services.datasets.annotations.contours import Contours, read_contours
from medgemma_dash.services.datasets.annotations.findings import (
    MOST_ENTRIES,
    Collector,
    UnusableError,
    read_label,
    shortened,
)
from medgemma_dash.services.datasets.annotations.image_folder import (
    ImageFolder,
    files_below,
    picture_size,
)
from medgemma_dash.services.datasets.annotations.mask_file import MaskFile
from medgemma_dash.services.datasets.annotations.run_lengths import (
    RunLengths,
    is_empty,
    read_runs,
)


def read_chexlocalize(
    content: dict[str, object], images: ImageFolder, collector: Collector
) -> None:
    """Read {picture: {finding: {"size", "counts"}}}, or {picture: {"img_size", finding: contours}}.

    An empty mask is a finding that is absent.
    """
    entries = 0
    for name, findings in content.items():
        if not isinstance(findings, dict):
            collector.problem(name, "It has no findings.")
            continue
        try:
            image, size = images.find(name)
        except UnusableError as error:
            collector.problem(name, str(error))
            continue
        drawn_on = findings.get("img_size")
        for finding, written in findings.items():
            if finding == "img_size":
                continue
            entries += 1
            if entries > MOST_ENTRIES:
                collector.problem(name, "The rest of the file is not read.")
                return
            place, label = f"{shortened(name)}, {shortened(finding)}", read_label(finding)
            try:
                mask: RunLengths | Contours
                if isinstance(written, list):
                    mask = read_contours(written, drawn_on)
                    empty = not mask.polygons
                else:
                    mask = read_runs(written)
                    empty = is_empty(mask)
            except UnusableError as error:
                collector.problem(place, str(error))
                continue
            if label is None:
                collector.problem(place, "The finding has no name that could be shown.")
            elif mask.size != size:
                collector.problem(place, other_size(size))
            elif not empty:
                collector.add_mask(place, image, size, label, mask)


def read_mask_folder(folder: Path, images: ImageFolder, collector: Collector) -> None:
    """Read FINDING/PICTURE.png: a mask is named as its picture, its folder as the finding."""
    paths = files_below(folder, (".png",))
    if not paths:
        collector.problem(folder.name, "There is no PNG file in this folder.")
    for path in paths:
        place, label = f"{path.parent.name}/{path.name}", read_label(path.parent.name)
        if label is None:
            collector.problem(place, "The finding has no name that could be shown.")
            continue
        try:
            image, size = images.find(path.name)
            fault = _fault(path, size)
        except (UnusableError, ImageError) as error:
            fault = str(error)
        if fault:
            collector.problem(place, fault)
            continue
        collector.add_mask(place, image, size, label, MaskFile(path))


def _fault(path: Path, size: tuple[int, int]) -> str:
    """Why a picture is no mask of a picture of this size; raises UnusableError and ImageError."""
    if picture_size(path) != size:
        return other_size(size)
    return "" if MaskFile(path).draw(*size).any() else "The mask is empty: all of it is background."
