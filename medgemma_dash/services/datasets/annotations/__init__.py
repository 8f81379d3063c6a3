"""Readers of annotated radiographs: where on which picture which finding lies."""

from medgemma_dash.services.datasets.annotations.findings import (
    AnnotatedFinding,
    AnnotationSet,
    Problem,
)
from medgemma_dash.services.datasets.annotations.reading import read_annotations

__all__ = ["AnnotatedFinding", "AnnotationSet", "Problem", "read_annotations"]
