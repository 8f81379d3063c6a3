"""Answers that were given before, shared by all sessions without sharing their pictures."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.kept import Kept
from medgemma_dash.core.radiograph import Radiograph

BUDGET_BYTES = 32 << 20
# Rough sizes of a Token with its runners-up and of one text, as Python keeps them.
TOKEN_BYTES = 1_500
TEXT_BYTES = 64


@dataclass(frozen=True)
class AnswerKey:
    """Everything that an answer depends on; no pixels, no file name.

    image_sha256: of all radiographs, in order.
    """

    image_sha256: tuple[str, ...]
    prompt: str
    force: str | None
    max_new_tokens: int
    model_name: str
    model_revision: str
    dtype: str
    device: str


class AnswerCache:
    """The most recently used answers, within a budget of bytes. Safe to use from any thread.

    Greedy answers are a pure function of their key, so sessions may share them. Radiographs are
    not kept: an answer is handed out with the radiographs of the one who asks.
    """

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._answers: Kept[AnswerKey, Answer] = Kept(budget_bytes, _size)
        self._lock = threading.Lock()

    def get(self, key: AnswerKey, radiographs: Sequence[Radiograph]) -> Answer | None:
        """The answer about these radiographs, or None when it is not known.

        Raises ValueError when they are not those that the key names, in its order.
        """
        if tuple(one.sha256 for one in radiographs) != key.image_sha256:
            raise ValueError("The key names another radiograph.")
        with self._lock:
            answer = self._answers.get(key)
        if answer is None:
            return None
        shown = zip(answer.images, radiographs, strict=True)
        return replace(answer, images=tuple(replace(image, radiograph=one) for image, one in shown))

    def put(self, key: AnswerKey, answer: Answer) -> None:
        """Keep an answer; older ones go when the budget is spent."""
        with self._lock:
            bare = tuple(
                replace(image, radiograph=_without_picture(image.radiograph))
                for image in answer.images
            )
            self._answers.put(key, replace(answer, images=bare))

    def __len__(self) -> int:
        return len(self._answers)


def _size(answer: Answer) -> int:
    texts = len(answer.piece_texts) * TEXT_BYTES + len(answer.prompt) + len(answer.text)
    return int(answer.input_ids.nbytes) + len(answer.tokens) * TOKEN_BYTES + texts


def _without_picture(radiograph: Radiograph) -> Radiograph:
    return replace(
        radiograph,
        pixels=np.zeros((1, 1, 3), np.uint8),
        intensities=np.zeros((1, 1), np.float32),
        tags=(),
        warnings=(),
    )
