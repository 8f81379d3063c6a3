"""Put a question to a model."""

from collections.abc import Callable, Sequence

from medgemma_dash.core.answer import Answer
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
    return stream_answer(
        model,
        (radiographs,) if isinstance(radiographs, Radiograph) else tuple(radiographs),
        prompt,
        max_new_tokens=max_new_tokens,
        force=force,
        on_token=on_token,
        check=check,
    )
