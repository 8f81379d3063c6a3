"""What a reader should know about a DICOM file that was read all the same."""

from __future__ import annotations

import pydicom

from medgemma_dash.imaging.dicom import facts
from medgemma_dash.imaging.dicom.transfer_syntax import LOSSY


def file_notices(dataset: pydicom.Dataset, transfer_syntax: str, bits: int) -> tuple[str, ...]:
    """What to know about the file before trusting its picture. bits: those stored of a pixel."""
    found = []
    modality = facts.word(dataset, "Modality")
    if modality in facts.UNSURE_MODALITIES:
        found.append("The file does not say that it is a plain radiograph; make sure that it is.")
    if facts.word(dataset, "BodyPartExamined", facts.CHEST_PARTS) == "other":
        found.append("The file names a body part other than the chest.")
    if facts.word(dataset, "PresentationIntentType") == "FOR PROCESSING":
        found.append(
            "The file holds raw detector data, not meant for viewing; contrast may be unusual."
        )
    lossy = facts.word(dataset, "LossyImageCompression") == "01" or transfer_syntax in LOSSY
    if lossy:
        found.append("The picture was compressed with loss.")
    if bits > 8:
        found.append(f"The picture has {bits} bits; the model sees the 8 that the window selects.")
    if facts.word(dataset, "BurnedInAnnotation") == "YES":
        found.append("The file says that text is burned into the picture: it may name a patient.")
    elif facts.word(dataset, "BurnedInAnnotation") != "NO":
        found.append("Text may be burned into the picture; look before you share it.")
    return tuple(found)
