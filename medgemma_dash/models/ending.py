"""Which tokens end an answer."""

from typing import Any

from medgemma_dash.models.adapter import VisionLanguageModel


def end_ids(model: VisionLanguageModel) -> set[Any]:
    """Their ids, of generation_config.json and of the tokenizer.

    As the files have them: a checkpoint is refused when it is loaded if one is not an id.
    """
    configured = getattr(model.hf_model.generation_config, "eos_token_id", None)
    several = configured if isinstance(configured, list | tuple) else (configured,)
    ids = (*several, model.processor.tokenizer.eos_token_id)
    return {one for one in ids if one is not None}
