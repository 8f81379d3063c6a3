"""The model that the options name, or else the environment."""

import argparse
from dataclasses import dataclass

from medgemma_dash.core.settings import read_settings
from medgemma_dash.models import VisionLanguageModel, load_model


@dataclass(frozen=True)
class ModelChoice:
    """The arguments of `load_model`."""

    name: str
    device: str
    dtype: str

    def load(self) -> VisionLanguageModel:
        """Load it; raises ModelError."""
        return load_model(self.name, device=self.device, dtype=self.dtype)


def chosen_model(options: argparse.Namespace) -> ModelChoice:
    """Read --model, --device and --dtype, each with its setting as default."""
    settings = read_settings()
    return ModelChoice(
        options.model or settings.model,
        options.device or settings.device,
        options.dtype or settings.dtype,
    )
