"""Put a question to a model."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import PromptError
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.generation import OnToken, stream_answer


def ask(
    model: VisionLanguageModel,
    radiographs: Radiograph | Sequence[Radiograph],
    prompt: str,
    *,
    max_new_tokens: int = 256,
    force: str | None = None,
    on_token: OnToken | None = None,
    check: Callable[[], None] | None = None,
) -> Answer:
    """Ask about a radiograph or several and read the greedy answer, token by token.

    radiographs: in order, such as prior and current; the model sees in each those before it, so
        the order matters.
    force: text to be treated as the answer (teacher-forced), such as a reference report.
    on_token: called with each `GeneratedToken` as it is said.
    check: called for every token and layer; what it raises stops the work.
    Raises PromptError for a question, text or number of radiographs that cannot be put to the
    model.
    """
    for what, text in (("question", prompt), ("forced answer", "" if force is None else force)):
        if not isinstance(text, str):
            raise PromptError(f"The {what} has to be a text, not {type(text).__name__}.")
    return stream_answer(
        model,
        _in_order(radiographs),
        prompt,
        max_new_tokens=max_new_tokens,
        force=force,
        on_token=on_token,
        check=check,
    )


def _in_order(radiographs: Radiograph | Sequence[Radiograph]) -> tuple[Radiograph, ...]:
    """What was given as radiographs; callers from outside may give anything."""
    if isinstance(radiographs, Radiograph):
        return (radiographs,)
    given = tuple(radiographs) if isinstance(radiographs, list | tuple) else (radiographs,)
    for one in given:
        if not isinstance(one, Radiograph):
            raise PromptError(
                f"A question is put about radiographs, not about {type(one).__name__}. Open a "
                "file, bytes or a picture with load_radiograph first."
            )
    return given


def ask_again(
    model: VisionLanguageModel,
    asked: Mapping[str, Any],
    radiographs: Mapping[str, Radiograph],
    check: Callable[[], None] | None = None,
) -> Answer:
    """Put the question of a plan again; asked: `Asked` as a record has it.

    radiographs: by sha256. A generated answer is generated anew, a given one is given again.
    """
    return ask(
        model,
        [radiographs[digest] for digest in asked["image_sha256s"]],
        asked["prompt"],
        max_new_tokens=len(asked["answer_ids"]),
        force=asked["answer"] if asked["forced"] else None,
        check=check,
    )
