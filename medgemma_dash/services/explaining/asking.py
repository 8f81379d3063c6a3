"""Put a question to a model."""

from collections.abc import Callable

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.generation import OnToken, stream_answer


def ask(
    model: VisionLanguageModel,
    radiograph: Radiograph,
    prompt: str,
    *,
    max_new_tokens: int = 256,
    force: str | None = None,
    on_token: OnToken | None = None,
    check: Callable[[], None] | None = None,
) -> Answer:
    """Ask about a radiograph and read the greedy answer, token by token.

    force: text to be treated as the answer (teacher-forced), such as a reference report.
    on_token: called with each `GeneratedToken` as it is said.
    check: called for every token and layer; what it raises stops the work.
    Raises PromptError for a question or text that cannot be put to the model.
    """
    return stream_answer(
        model,
        radiograph,
        prompt,
        max_new_tokens=max_new_tokens,
        force=force,
        on_token=on_token,
        check=check,
    )
