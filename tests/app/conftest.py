"""A host without torch: the real engine and store, and a model that says the same every time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.answer import Answer, AnswerImage, Candidate, Fidelity, Token
from medgemma_dash.core.errors import MedGemmaDashError, MethodError
from medgemma_dash.core.explanation import Explanation, Provenance
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.settings import Settings
from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.runtime.engine import Engine
from medgemma_dash.services.runtime.job import Job

ROOT = Path(__file__).parents[2]
SAID = (
    "Yes",
    ",",
    " there",
    " is",
    " consolidation",
    " in",
    " the",
    " right",
    " lower",
    " zone",
    ".",
    "",
)
GRID = (16, 16)
CELLS = GRID[0] * GRID[1]
LAYERS = 12
MID = Candidate(9001, " mid", 0.01)


def make_answer(radiograph: Radiograph, prompt: str, said: tuple[str, ...] = SAID) -> Answer:
    """An answer whose prompt is <bos> image question; its tokens without text are control ones."""
    question = tuple(f" {word}" for word in prompt.split())
    before = 1 + CELLS + len(question)
    tokens = tuple(
        Token(index, 100 + index, text, before + index, 0.98, text == "", (MID,))
        for index, text in enumerate(said)
    )
    pieces = ("<bos>", *([""] * CELLS), *question, *said)
    return Answer(
        text="".join(said),
        tokens=tokens,
        input_ids=np.array([crc32(piece.encode()) for piece in pieces], dtype=np.int64),
        prompt=prompt,
        fidelity=Fidelity(True, (), 0.0),
        images=(AnswerImage(radiograph, (1, 1 + CELLS), GRID),),
        piece_texts=pieces,
        model_name="fake",
        model_revision="1",
        is_demo=True,
        forced=False,
        stopped="end of turn",
        seconds=0.1,
    )


def make_explanation(answer: Answer, target: Target, method: str) -> Explanation:
    """Each token leans on its own row of patches and on the first word of the question."""
    row = np.zeros(len(answer.input_ids), np.float32)
    for index in target.token_indices:
        row[1 + index * GRID[1] : 1 + (index + 1) * GRID[1]] += 0.04
        row[1 + CELLS] += 0.36
    if target.against is not None:
        row *= 0.5
    row /= len(target.token_indices)
    provenance = Provenance(
        model_name="fake",
        model_revision="1",
        is_demo=True,
        device="cpu",
        dtype="float32",
        image_sha256=answer.radiograph.sha256,
        prompt=answer.prompt,
        token_ids=tuple(token.id for token in answer.tokens),
        prompt_length=answer.prompt_length,
        image_span=answer.image_span,
        method=method,
        settings=(),
        versions=(("fake", "1"),),
        seconds=0.071,
    )
    return Explanation(
        images=(row[1 : 1 + CELLS].reshape(GRID).copy(),),
        row=row,
        layers=np.linspace(0.1, 0.6, LAYERS, dtype=np.float32),
        method=method,
        target=target,
        signed=False,
        provenance=provenance,
    )


@dataclass(eq=False)
class FakeHost:
    """Stands where the ModelHost stands.

    hold, hold_filling: keep jobs running until they are set.
    refused: methods that fail with `explain_error`; empty means all.
    """

    state: str = "ready"
    message: str = ""
    seconds: float = 1.5
    settings: Settings = field(default_factory=Settings)
    engine: Engine = field(default_factory=Engine)
    said: tuple[str, ...] = SAID
    ask_error: MedGemmaDashError | None = None
    explain_error: MedGemmaDashError | None = None
    refused: tuple[str, ...] = ()
    hold: threading.Event = field(default_factory=threading.Event)
    hold_filling: threading.Event = field(default_factory=threading.Event)
    computed: list[Target] = field(default_factory=list)
    begun: bool = False

    def __post_init__(self) -> None:
        self.hold.set()
        self.hold_filling.set()
        layers = tuple(SimpleNamespace(index=i, is_global=i % 6 == 5) for i in range(LAYERS))
        self.model: Any = SimpleNamespace(
            is_demo=True,
            name="demo",
            device="cpu",
            dtype="torch.float32",
            memory_bytes=16_000_000,
            load_seconds=1.5,
            layout=SimpleNamespace(layers=layers),
        )

    def ask_job(self, owner: str, radiograph: Radiograph, prompt: str) -> Job[Answer]:
        def work(context: Any) -> Answer:
            answer = make_answer(radiograph, prompt, self.said)
            for token in answer.tokens:
                context.emit(token)
            while not self.hold.wait(0.01):
                context.check()
            if self.ask_error is not None:
                raise self.ask_error
            return answer

        return self.engine.submit(work, owner=owner, label="Answering", supersedes="ask")

    def explain_job(
        self, owner: str, store: RelevanceStore, target: Target, method: str, settings: Any
    ) -> Job[Explanation]:
        def work(context: Any) -> Explanation:
            while not self.hold.wait(0.01):
                context.check()
            if self.explain_error is not None and method in (self.refused or (method,)):
                raise self.explain_error
            self.computed.append(target)
            explanation = make_explanation(store.answer, target, method)
            store.add(explanation, settings)
            return explanation

        return self.engine.submit(work, owner=owner, label="Explaining", supersedes="explain")

    def explain_all_job(
        self, owner: str, store: RelevanceStore, method: str, settings: Any
    ) -> Job[None]:
        def work(context: Any) -> Iterator[None]:
            for token in store.answer.tokens:
                while not self.hold_filling.wait(0.01):
                    context.check()
                    yield
                target = Target("token", (token.index,), token.text)
                store.add(make_explanation(store.answer, target, method), settings)
                context.progress(token.index + 1, len(store.answer.tokens))

        return self.engine.submit_steps(
            work, owner=owner, label="Explaining every word", supersedes="all", background=True
        )

    def compare_job(
        self, owner: str, store: RelevanceStore, target: Target, methods: Any
    ) -> Job[None]:
        from medgemma_dash.services.explaining.steps import MethodOutcome

        def work(context: Any) -> None:
            for method, settings in methods:
                explanation = make_explanation(store.answer, target, method)
                store.add(explanation, settings)
                context.emit(MethodOutcome(method, settings, explanation))

        return self.engine.submit(work, owner=owner, label="Comparing", supersedes="compare")

    def layers_job(self, owner: str, answer: Answer, target: Target) -> Job[Any]:
        def work(context: Any) -> None:
            raise MethodError("The fake model has no layers to look into.")

        return self.engine.submit(work, owner=owner, label="Looking", supersedes="layers")

    def begin(self) -> None:
        self.begun = True

    def reload(self) -> None:
        self.state = "loading"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHost]:
    """The host that the pages get instead of the real one."""
    # A page never waits for these, for the real host imports them before it is ready.
    import_module("medgemma_dash.methods")
    import_module("medgemma_dash.services.explaining.targets")
    fake = FakeHost()
    monkeypatch.setattr("medgemma_dash.ui.state.host.model_host", lambda: fake)
    yield fake
    fake.hold.set()
    fake.hold_filling.set()
    fake.engine.close()


@pytest.fixture
def open_home(host: FakeHost) -> Callable[[], AppTest]:
    """The program at its first page."""
    return lambda: AppTest.from_file(str(ROOT / "Home.py"), default_timeout=60).run()


@pytest.fixture
def open_explain(open_home: Callable[[], AppTest]) -> Callable[[], AppTest]:
    """The Explain page, run until its opening sample is answered and explained."""

    def open_it() -> AppTest:
        return rest(open_home().switch_page("pages/1_Explain.py").run())

    return open_it


def rest(app: AppTest) -> AppTest:
    """Wait for the session's jobs and let the page take their results over."""
    from medgemma_dash.ui.state.session import SESSION

    for _ in range(10):
        if SESSION not in app.session_state:
            return app
        session = app.session_state[SESSION]
        jobs = session.jobs()
        # What has finished by itself waits to be taken over too.
        if not jobs and not (session.asking or session.explaining or session.filling):
            return app
        for job in jobs:
            assert job.wait(30)
        app.run()
    raise AssertionError("The page never came to rest.")


@pytest.fixture
def settle() -> Callable[[AppTest], AppTest]:
    """Wait for the session's jobs and let the page take their results over."""
    return rest


@pytest.fixture
def makers() -> SimpleNamespace:
    """Answers and explanations of the fake model."""
    return SimpleNamespace(answer=make_answer, explanation=make_explanation)
