"""What finding a question is about, where the table does not say."""

import re

OTHER = "other"

# The more special words first: a question about a collapsed lung is not one about the lung.
_WORDS = (
    ("pneumothorax", ("pneumothorax", "pneumothoraces", "collapsed lung")),
    ("pleural effusion", ("effusion", "pleural fluid", "fluid around the lung")),
    ("cardiomegaly", ("cardiomegaly", "enlarged heart", "heart (?:look )?enlarged",
                      "cardiac enlargement", "heart too big", "enlarged cardiac", "heart size")),
    ("pneumonia", ("pneumonia", "lung infection")),
    ("consolidation", ("consolidation", "solid appearance")),
    ("edema", ("edema", "oedema", "fluid in the lung", "congestion")),
    ("atelectasis", ("atelectasis", "atelectatic")),
    ("nodule", ("nodule", "spot in the lung")),
    ("mass", ("mass", "masses", "tumor", "tumour")),
    ("fracture", ("fracture", "broken")),
    ("lung opacity", ("opacity", "opacities", "infiltrate")),
    ("support devices", ("tube", "catheter", "pacemaker", "central line", "support device")),
)  # fmt: skip


_PATTERNS = tuple((name, re.compile(rf"\b(?:{'|'.join(words)})s?\b")) for name, words in _WORDS)


def finding_of(question: str) -> str:
    """The first finding, in the list's order, whose words are in the question; else "other"."""
    lowered = question.casefold()
    return next((name for name, words in _PATTERNS if words.search(lowered)), OTHER)
