"""Masks: CheXlocalize's JSON of run lengths, and folders of mask pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.imaging.limits import MAX_FILE_BYTES, check_file_size
from medgemma_dash.services.datasets.annotations.boxes import other_size
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
    open_regular,
    picture_size,
)
from medgemma_dash.services.datasets.annotations.run_lengths import is_empty, read_runs


@dataclass(frozen=True)
class MaskFile:
    """A mask in a PNG file: what is not black belongs to it."""

    path: Path

    def draw(self, height: int, width: int) -> Bool[np.ndarray, "height width"]:
        """See `MaskSource.draw`."""
        try:
            with open_regular(self.path) as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError:
            raise ImageError("The mask's file cannot be opened any more.") from None
        check_file_size(len(data))
        mask: Bool[np.ndarray, "height width"] = load_radiograph(data).intensities > 0
        if mask.shape != (height, width):
            raise ImageError(other_size((height, width)))
        return mask


def read_chexlocalize(
    content: dict[str, object], images: ImageFolder, collector: Collector
) -> None:
    """Read {picture: {finding: {"size", "counts"}}}; an empty mask is a finding that is absent."""
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
        for finding, written in findings.items():
            entries += 1
            if entries > MOST_ENTRIES:
                collector.problem(name, "The rest of the file is not read.")
                return
            place, label = f"{shortened(name)}, {shortened(finding)}", read_label(finding)
            try:
                mask = read_runs(written)
            except UnusableError as error:
                collector.problem(place, str(error))
                continue
            if label is None:
                collector.problem(place, "The finding has no name that could be shown.")
            elif mask.size != size:
                collector.problem(place, other_size(size))
            elif not is_empty(mask):
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
            if picture_size(path) != size:
                collector.problem(place, other_size(size))
                continue
        except UnusableError as error:
            collector.problem(place, str(error))
            continue
        collector.add_mask(place, image, size, label, MaskFile(path))
