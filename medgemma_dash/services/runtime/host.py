"""The one model of this process: loaded in the background, and lent to tasks by the engine.

Importing this module does not import torch; the engine's worker does when it loads the model.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from medgemma_dash.core.errors import ModelError
from medgemma_dash.core.settings import Settings, read_settings
from medgemma_dash.services.runtime.allocator import keep_freed_memory
from medgemma_dash.services.runtime.engine import Engine
from medgemma_dash.services.runtime.job import Job, JobContext
from medgemma_dash.services.runtime.task import Task

if TYPE_CHECKING:
    from medgemma_dash.models import VisionLanguageModel

T = TypeVar("T")
Load = Callable[[Settings, JobContext], "VisionLanguageModel"]

HOST = "model host"  # the owner of loading; sessions own everything else


def load_from_settings(
    settings: Settings, context: JobContext, modules: Sequence[str] = ()
) -> VisionLanguageModel:
    """Load the model that the settings name, and report each stage as an event.

    modules: imported on the way, for the first task must not wait for them.
    """
    keep_freed_memory()
    context.emit("Starting torch.")
    import_module("torch")
    context.emit("Starting transformers.")
    models = import_module("medgemma_dash.models")
    for name in modules:
        import_module(name)
    context.emit("Reading the weights.")
    model = models.load_model(settings.model, device=settings.device, dtype=settings.dtype)
    return cast("VisionLanguageModel", model)


class ModelHost:
    """Owns the engine and the model, and runs tasks; it knows none of them.

    settings: None reads the environment.
    load: how the model is loaded; another one serves tests.
    start: False waits for `begin`, or the first task, before the model is loaded.
    Tasks may be given while the model loads: they wait behind it. When it cannot be loaded they
    fail with the reason.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        load: Load = load_from_settings,
        start: bool = True,
    ) -> None:
        self.settings = read_settings() if settings is None else settings
        self.engine = Engine(guard=self._guard, on_out_of_memory=self._drop_caches)
        self._load = load
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
    def loaded(self) -> VisionLanguageModel | None:
        """The model, once there is one."""
        return self._model

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

    def run(self, owner: str, task: Task[T]) -> Job[T]:
        """Put a task into the line for this owner, and return at once.

        A newer task with the same owner and key takes an older one's place, also when its
        result is known and it is finished already.
        """
        self.begin()
        if task.known is not None:
            return self.engine.finished(
                task.known.result,
                owner=owner,
                label=task.label,
                supersedes=task.key,
                events=task.known.events,
            )
        # Whether the work is a generator or a plain function is the task's to know.
        submit = cast(Any, self.engine.submit_steps if task.in_steps else self.engine.submit)
        job: Job[T] = submit(
            partial(task.work, self._current),
            owner=owner,
            label=task.label,
            supersedes=task.key,
            background=task.background,
            needs_heartbeat=task.needs_heartbeat,
        )
        return job

    def close(self) -> None:
        """End the engine."""
        self.engine.close()

    def _current(self) -> VisionLanguageModel:
        return self.model

    def _guard(self) -> AbstractContextManager[object]:
        model = self._model
        return nullcontext() if model is None else cast(AbstractContextManager[object], model.lock)

    def _drop_caches(self) -> None:
        if self._model is not None:
            self._model.drop_caches()
