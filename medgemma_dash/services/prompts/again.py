"""Prompt sensitivity computed again, from what its record says was asked."""

from collections.abc import Mapping

from medgemma_dash.core.progress import Check, Progress
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.prompts.run import prompt_sensitivity


def prompts_again(
    model: VisionLanguageModel,
    record: Record,
    radiographs: Mapping[str, Radiograph],
    progress: Progress | None = None,
    check: Check | None = None,
) -> Record:
    """The record of the same prompts and changes by this model. radiographs: by sha256."""
    plan = record.plan
    question, *variants = plan["prompts"]
    return prompt_sensitivity(
        model,
        radiographs[plan["image_sha256"]],
        question["prompt"],
        {one["strategy"]: one["prompt"] for one in variants},
        plan["perturbations"],
        method=plan["method"],
        options=dict(plan["options"]),
        seed=plan["seed"],
        max_new_tokens=plan["max_new_tokens"],
        progress=progress,
        check=check,
    )
