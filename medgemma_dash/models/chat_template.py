"""A checkpoint's chat template, tried in a process of its own before it is rendered in this one.

Jinja's sandbox keeps a template from files and attributes, but not from loops without end and
texts without bound.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from medgemma_dash.core.errors import ModelError
from medgemma_dash.core.resources import resource

MEGABYTES = 512
PROCESSOR_SECONDS = 5
SECONDS = 60.0  # by the clock, on a machine that has better to do
_CHILD = Path(__file__).with_name("template_child.py")
# The child gets no tokens or other secrets from the environment.
_KEPT_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
_REMEDY = (
    "Take the template of an instruction-tuned checkpoint: copy chat_template.jinja of "
    "google/medgemma-1.5-4b-it into the model's folder, or set processor.chat_template to it."
)


def chat_template(processor: Any) -> str:
    """The template by which this processor writes a prompt; raises ModelError if it has none."""
    template = getattr(processor, "chat_template", None)
    if isinstance(template, Mapping):
        template = template.get("default")
    if not isinstance(template, str) or not template.strip():
        raise ModelError(
            "This checkpoint has no chat template, as base models have none, and without one no "
            f"question can be put to it. {_REMEDY}"
        )
    return template


def try_template(processor: Any, conversation: Sequence[Mapping[str, Any]]) -> None:
    """Render a conversation under limits on time and memory, and throw the result away.

    conversation: as for `apply_chat_template`; pictures are left out, templates see none.
    The demo model's own template is known to be harmless, and is not tried.
    Raises ModelError when the template fails, refuses the conversation, or goes beyond the limits.
    """
    template = chat_template(processor)
    if template.strip() == _demo_template():
        return
    variables = {
        "messages": [
            {"role": turn["role"], "content": _without_pictures(turn["content"])}
            for turn in conversation
        ],
        "add_generation_prompt": True,
        **processor.tokenizer.special_tokens_map,
    }
    fault = _tried(json.dumps({"template": template, "variables": variables}, default=str))
    if fault is not None:
        raise ModelError(f"The checkpoint's chat template cannot be used: {fault}. {_REMEDY}")


def _tried(task: str) -> str | None:
    limits = (str(MEGABYTES), str(PROCESSOR_SECONDS))
    try:
        # The program is this package's own; the arguments are two numbers.
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-P", "-B", str(_CHILD), *limits],
            input=task.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ},
            timeout=SECONDS,
            check=False,
        )
    except OSError:
        raise ModelError(
            "This machine is too busy: no process could be started to try the checkpoint's chat "
            "template. Try again in a minute."
        ) from None
    except subprocess.TimeoutExpired:
        done = None
    try:
        verdict = json.loads(b"" if done is None else done.stdout)
    except ValueError:  # killed in the middle
        return f"it takes over {PROCESSOR_SECONDS} seconds or {MEGABYTES} MB to write a prompt"
    fault = verdict.get("error")
    return None if fault is None else str(fault).rstrip(".")


def _without_pictures(content: object) -> object:
    if not isinstance(content, list):
        return content
    return [
        {name: "" if name == "image" else value for name, value in item.items()} for item in content
    ]


@cache
def _demo_template() -> str:
    return resource("assets", "demo-model", "chat_template.jinja").read_text("utf-8").strip()
