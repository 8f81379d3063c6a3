"""Why a radiology vision-language model said each word of its answer.

The names below are the whole public interface. They are resolved when first used, so that
importing the package costs nothing: torch is loaded by the first call that needs it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.models import load_model, wrap_model
    from medgemma_dash.services.explaining.asking import ask
    from medgemma_dash.services.explaining.explain import explain, relevancy_tensor

__version__ = "0.1.0"

__all__ = ["ask", "explain", "load_model", "load_radiograph", "relevancy_tensor", "wrap_model"]

_HOMES = {
    "load_model": "medgemma_dash.models",
    "wrap_model": "medgemma_dash.models",
    "load_radiograph": "medgemma_dash.imaging",
    "ask": "medgemma_dash.services.explaining.asking",
    "explain": "medgemma_dash.services.explaining.explain",
    "relevancy_tensor": "medgemma_dash.services.explaining.explain",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
