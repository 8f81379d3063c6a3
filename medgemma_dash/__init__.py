"""Why a radiology vision-language model said each word of its answer.

The names below are the whole public interface: what one calls, what it returns, and the errors
that it raises. They are resolved when first used, so that importing the package costs nothing:
torch is loaded by the first call that needs it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.core.errors import (
        CancelledError,
        DependencyError,
        ImageError,
        MedGemmaDashError,
        MethodError,
        ModelAccessError,
        ModelError,
        ModelNotFoundError,
        NoExplanationError,
        OutOfMemoryError,
        PromptError,
        ResultFileError,
        SettingError,
        TableError,
        TargetError,
        UnsupportedModelError,
    )
    from medgemma_dash.core.explanation import Explanation
    from medgemma_dash.core.radiograph import Radiograph
    from medgemma_dash.core.record import Record
    from medgemma_dash.core.record_reading import read_record
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.models import VisionLanguageModel, load_model, wrap_model
    from medgemma_dash.reports.rerun import rerun
    from medgemma_dash.services.evidence.run import evidence
    from medgemma_dash.services.explaining.asking import ask
    from medgemma_dash.services.explaining.explain import explain, relevancy_tensor
    from medgemma_dash.services.faithfulness.run import faithfulness
    from medgemma_dash.services.interventions.run import intervene
    from medgemma_dash.services.prompts.run import prompt_sensitivity
    from medgemma_dash.services.questions.run import answer_questions
    from medgemma_dash.services.words.run import target_words

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "CancelledError",
    "DependencyError",
    "Explanation",
    "ImageError",
    "MedGemmaDashError",
    "MethodError",
    "ModelAccessError",
    "ModelError",
    "ModelNotFoundError",
    "NoExplanationError",
    "OutOfMemoryError",
    "PromptError",
    "Radiograph",
    "Record",
    "ResultFileError",
    "SettingError",
    "TableError",
    "TargetError",
    "UnsupportedModelError",
    "VisionLanguageModel",
    "answer_questions",
    "ask",
    "evidence",
    "explain",
    "faithfulness",
    "intervene",
    "load_model",
    "load_radiograph",
    "prompt_sensitivity",
    "read_record",
    "relevancy_tensor",
    "rerun",
    "target_words",
    "wrap_model",
]

_HOMES = {
    "Answer": "core.answer",
    "Explanation": "core.explanation",
    "Radiograph": "core.radiograph",
    "Record": "core.record",
    "VisionLanguageModel": "models",
    "answer_questions": "services.questions.run",
    "ask": "services.explaining.asking",
    "evidence": "services.evidence.run",
    "explain": "services.explaining.explain",
    "faithfulness": "services.faithfulness.run",
    "intervene": "services.interventions.run",
    "load_model": "models",
    "load_radiograph": "imaging",
    "prompt_sensitivity": "services.prompts.run",
    "read_record": "core.record_reading",
    "relevancy_tensor": "services.explaining.explain",
    "rerun": "reports.rerun",
    "target_words": "services.words.run",
    "wrap_model": "models",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from medgemma_dash.core.dependencies import blaming_dependencies

    with blaming_dependencies():
        home = import_module(f"{__name__}.{_HOMES.get(name, 'core.errors')}")
    value: object = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
