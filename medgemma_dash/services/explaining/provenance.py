"""What computed a result: the model, and the libraries by their versions."""

import platform
from functools import cache
from importlib.metadata import version

import medgemma_dash
from medgemma_dash.core.record import RecordProvenance
from medgemma_dash.models import VisionLanguageModel


@cache
def library_versions() -> tuple[tuple[str, str], ...]:
    """Pairs of a library, or Python, and its version."""
    libraries = tuple((name, version(name)) for name in ("torch", "transformers", "numpy"))
    return (
        ("medgemma_dash", medgemma_dash.__version__),
        ("python", platform.python_version()),
        *libraries,
    )


def record_provenance(
    model: VisionLanguageModel, images: tuple[str, ...], seconds: float
) -> RecordProvenance:
    """Of a record that this model computed about these images."""
    return RecordProvenance(
        model_name=model.name,
        model_revision=model.revision,
        is_demo=model.is_demo,
        device=str(model.device),
        dtype=str(model.dtype).removeprefix("torch."),
        images=images,
        versions=library_versions(),
        seconds=seconds,
    )
