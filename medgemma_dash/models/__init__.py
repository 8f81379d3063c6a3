"""The model adapter: loading, generation, faithful replay, and attention in blocks."""

from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.gemma3 import LayerInfo, ModelLayout
from medgemma_dash.models.loading import check_folder, load_model, wrap_model

__all__ = [
    "LayerInfo",
    "ModelLayout",
    "VisionLanguageModel",
    "check_folder",
    "load_model",
    "wrap_model",
]
