"""The one model of this process: loaded in the background, asked through the engine.

Importing this module does not import torch; the engine's worker does when it loads the model.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Literal, cast

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import ModelError
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.settings import Settings, read_settings
from medgemma_dash.services.explaining.answer_cache import AnswerCache, AnswerKey
from medgemma_dash.services.explaining.tasks import ExplanationJobs
from medgemma_dash.services.runtime.allocator import keep_freed_memory
from medgemma_dash.services.runtime.engine import Engine
from medgemma_dash.services.runtime.job import Job, JobContext

if TYPE_CHECKING:
    from medgemma_dash.models import VisionLanguageModel

Load = Callable[[Settings, JobContext], "VisionLanguageModel"]

HOST = "model host"  # the owner of loading; sessions own everything else
MAX_NEW_TOKENS = 256


def load_from_settings(settings: Settings, context: JobContext) -> VisionLanguageModel:
    """Load the model that the settings name, and report each stage as an event."""
    keep_freed_memory()
    context.emit("Starting torch.")
    import_module("torch")
    context.emit("Starting transformers.")
    models = import_module("medgemma_dash.models")
    # The first question must not wait for these.
    import_module("medgemma_dash.services.explaining.asking")
    import_module("medgemma_dash.services.explaining.filling")
    context.emit("Reading the weights.")
    model = models.load_model(settings.model, device=settings.device, dtype=settings.dtype)
    return cast("VisionLanguageModel", model)


class ModelHost(ExplanationJobs):
    """Owns the engine and the model, and makes jobs of what sessions want to know.

    settings: None reads the environment.
    load: how the model is loaded; another one serves tests.
    start: False waits for `begin`, or the first question, before the model is loaded.
    Jobs may be asked for while the model loads: they wait behind it. When it cannot be loaded
    they fail with the reason.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        load: Load = load_from_settings,
        start: bool = True,
    ) -> None:
        self.settings = read_settings() if settings is None else settings
        super().__init__(Engine(guard=self._guard, on_out_of_memory=self._drop_caches))
        self._load = load
        self._answers = AnswerCache()
        self._model: VisionLanguageModel | None = None
        self._loading: Job[None] | None = None
        self._beginning = Lock()
        if start:
            self.begin()

    @property
    def state(self) -> Literal["loading", "ready", "failed"]:
        """Where the model stands."""
        if self._loading is None or not self._loading.finished:
            return "loading"
        return "ready" if self._loading.state == "done" else "failed"

    @property
    def message(self) -> str:
        """What is being done, or why it failed and what to do; "" when the model is ready."""
        if self._loading is None:
            return "Loading has not begun yet."
        if self._loading.error is not None:
            return str(self._loading.error)
        if self._loading.finished:
            return ""
        stages = self._loading.events
        return str(stages[-1]) if stages else "Waiting for work in progress."

    @property
    def seconds(self) -> float:
        """How long loading has taken, so far or in all."""
        return 0.0 if self._loading is None else self._loading.seconds

    @property
    def model(self) -> VisionLanguageModel:
        """The model; raises ModelError with `message` when it is not ready."""
        model = self._model
        if model is None:
            raise ModelError(self.message or "The model is not loaded.")
        return model

    def begin(self) -> None:
        """Start loading the model, unless that was done before."""
        with self._beginning:
            if self._loading is None:
                self.reload()

    def reload(self, settings: Settings | None = None) -> None:
        """Load the model again, or another one, behind the jobs that wait already."""
        if settings is not None:
            self.settings = settings
        chosen = self.settings

        def work(context: JobContext) -> None:
            # The old model goes first: two may not fit.
            self._drop_caches()
            self._model = None
            gc.collect()
            self._model = self._load(chosen, context)

        self._loading = self.engine.submit(
            work,
            owner=HOST,
            label="Loading the model",
            supersedes="load",
            needs_heartbeat=False,
        )

    def ask_job(
        self,
        owner: str,
        radiograph: Radiograph,
        prompt: str,
        force: str | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> Job[Answer]:
        """Ask about a radiograph; the newest question of an owner wins.

        The job's events have `.index`, `.text` and `.probability`, one for each token.
        """
        self.begin()
        label = "Answering the question"
        if self._model is not None:
            key = _answer_key(self._model, radiograph, prompt, force, max_new_tokens)
            known = self._answers.get(key, (radiograph,))
            if known is not None:
                # It takes the place of an older question all the same.
                return self.engine.finished(
                    known, owner=owner, label=label, supersedes="ask", events=known.tokens
                )

        def work(context: JobContext) -> Answer:
            from medgemma_dash.services.explaining.asking import ask

            model = self.model
            key = _answer_key(model, radiograph, prompt, force, max_new_tokens)
            known = self._answers.get(key, (radiograph,))
            if known is not None:
                for token in known.tokens:
                    context.emit(token)
                return known
            answer = ask(
                model,
                radiograph,
                prompt,
                max_new_tokens=max_new_tokens,
                force=force,
                on_token=context.emit,
                check=context.check,
            )
            self._answers.put(key, answer)
            return answer

        return self.engine.submit(work, owner=owner, label=label, supersedes="ask")

    def close(self) -> None:
        """End the engine."""
        self.engine.close()

    def _guard(self) -> AbstractContextManager[object]:
        model = self._model
        return nullcontext() if model is None else cast(AbstractContextManager[object], model.lock)

    def _drop_caches(self) -> None:
        if self._model is not None:
            self._model.drop_caches()


def _answer_key(
    model: VisionLanguageModel,
    radiograph: Radiograph,
    prompt: str,
    force: str | None,
    max_new_tokens: int,
) -> AnswerKey:
    return AnswerKey(
        image_sha256=(radiograph.sha256,),
        prompt=prompt,
        force=force,
        max_new_tokens=max_new_tokens,
        model_name=model.name,
        model_revision=model.revision,
        dtype=str(model.dtype),
        device=str(model.device),
    )
