"""A model that says the same every time and at once, and how a test has a hand in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from medgemma_dash.core.answer import Answer, AnswerImage, Candidate, Fidelity, Token
from medgemma_dash.core.errors import MedGemmaDashError, MethodError
from medgemma_dash.core.explanation import Explanation, Provenance
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record, RecordProvenance
from medgemma_dash.core.settings import Settings
from medgemma_dash.core.target import Target
from medgemma_dash.models.regeneration import Regenerated
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.interventions.plan import InterventionPlan
from medgemma_dash.services.interventions.request import Request
from medgemma_dash.services.interventions.tables import Readings, tables_of
from medgemma_dash.ui.state import jobs
from tests.app.fake_prompts import fake_steps

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


class Gate(threading.Event):
    """Open, until a test clears it: computations stop at it then, and no page waits for them.

    background: pages never wait for what stops here.
    """

    def __init__(self, *, background: bool = False) -> None:
        super().__init__()
        self._background = background
        self._patience = jobs.PATIENCE_SECONDS
        super().set()

    def clear(self) -> None:
        if self.is_set() and not self._background:
            self._patience, jobs.PATIENCE_SECONDS = jobs.PATIENCE_SECONDS, 0
        super().clear()

    def set(self) -> None:
        if not self.is_set() and not self._background:
            jobs.PATIENCE_SECONDS = self._patience
        super().set()

    def pass_through(self, check: Callable[[], None]) -> None:
        """Stop until the gate is open, or the job is cancelled."""
        while not self.wait(0.01):
            check()


def model_of_nothing() -> Any:
    """What host and pages touch of a model themselves."""
    layers = tuple(SimpleNamespace(index=i, is_global=i % 6 == 5) for i in range(LAYERS))
    return SimpleNamespace(
        lock=threading.RLock(),
        drop_caches=lambda: None,
        is_demo=True,
        name="demo",
        revision="1",
        device="cpu",
        dtype="torch.float32",
        memory_bytes=16_000_000,
        load_seconds=1.5,
        layout=SimpleNamespace(layers=layers),
    )


MODEL = model_of_nothing()


@dataclass(eq=False)
class Fake:
    """What takes the place of computing on a model, and how a test has a hand in it.

    hold, hold_filling, hold_loading, hold_evidence: gates at which computations stop.
    refused: methods that fail with `explain_error`; empty means all.
    """

    said: tuple[str, ...] = SAID
    ask_error: MedGemmaDashError | None = None
    explain_error: MedGemmaDashError | None = None
    load_error: MedGemmaDashError | None = None
    prompts_error: MedGemmaDashError | None = None
    refused: tuple[str, ...] = ()
    hold: Gate = field(default_factory=Gate)
    hold_filling: Gate = field(default_factory=lambda: Gate(background=True))
    hold_loading: Gate = field(default_factory=Gate)
    hold_evidence: Gate = field(default_factory=lambda: Gate(background=True))
    computed: list[Target] = field(default_factory=list)
    intervened: list[InterventionPlan] = field(default_factory=list)
    asked_in_words: list[Any] = field(default_factory=list)

    @property
    def gates(self) -> tuple[Gate, ...]:
        """All of them."""
        return self.hold, self.hold_filling, self.hold_loading, self.hold_evidence

    def gate(self) -> Gate:
        """One for what a test itself puts in the place of a computation."""
        return Gate()

    def load(self, settings: Settings, context: Any) -> Any:
        self.hold_loading.pass_through(context.check)
        if self.load_error is not None:
            raise self.load_error
        return MODEL

    def ask(
        self,
        model: Any,
        radiograph: Radiograph,
        prompt: str,
        *,
        on_token: Callable[[Token], None],
        check: Callable[[], None],
        **_options: Any,
    ) -> Answer:
        answer = make_answer(radiograph, prompt, self.said)
        for token in answer.tokens:
            on_token(token)
        self.hold.pass_through(check)
        if self.ask_error is not None:
            raise self.ask_error
        return answer

    def explain_steps(
        self, current: Any, store: RelevanceStore, target: Target, method: str, *rest: Any
    ) -> Iterator[None]:
        options, context = rest
        self.hold.pass_through(context.check)
        if self.explain_error is not None and method in (self.refused or (method,)):
            raise self.explain_error
        self.computed.append(target)
        explanation = make_explanation(store.answer, target, method)
        store.add(explanation, options)
        return explanation
        yield

    def fill_steps(
        self, current: Any, store: RelevanceStore, indices: Any, method: str, *rest: Any
    ) -> Iterator[None]:
        options, context, _words = rest
        for index in indices:
            while not self.hold_filling.wait(0.01):
                context.check()
                yield
            target = Target("token", (index,), store.answer.tokens[index].text)
            store.add(make_explanation(store.answer, target, method), options)
            context.progress(index + 1, len(indices))
            yield

    def evidence_steps(
        self, current: Any, answer: Answer, donors: Any, check: Any, progress: Any
    ) -> Iterator[None]:
        """Every second token needs the image, the others do not."""
        while not self.hold_evidence.wait(0.01):
            check()
            progress(0, 8)
            yield
        lost = np.array([3.0 * (token.index % 2) for token in answer.tokens])
        given = np.log([token.probability for token in answer.tokens])
        words = pd.DataFrame(
            {
                "token": range(len(lost)),
                "text": [token.text for token in answer.tokens],
                "log_probability": given,
                "blank": given - lost,
                "swapped": given - lost / 2,
                "no_image": given,
                "image_effect": lost,
                "layers_with_access": LAYERS,
                "special": [token.special for token in answer.tokens],
                "word": [
                    place
                    for place, (start, stop) in enumerate(answer.units)
                    for _ in range(start, stop)
                ],
            }
        )
        made_by = RecordProvenance("fake", "1", True, "cpu", "float32", (), (), 0.1)
        return Record("evidence", {}, {"words": words}, made_by)

    def intervention_steps(
        self, current: Any, request: Request, check: Any, progress: Any
    ) -> Iterator[None]:
        """Each patch takes 0.1 from the logit of every second token; the answer turns to No."""
        self.hold.pass_through(check)
        answer, plan = request.answer, request.plan
        self.intervened.append(plan)
        tokens = np.arange(len(answer.tokens))
        logits = np.full((3, len(tokens)), 10.0)
        logits[1] -= 0.1 * len(plan.cells) * (tokens % 2)
        logits[2] -= 5.0 * (tokens % 2)
        said = Regenerated("No.", (1, 2), "end of turn", -1.0)
        explanation = request.explanation
        assert explanation is not None
        made_by = RecordProvenance("fake", "1", True, "cpu", "float32", ("ab12",), (), 0.1)
        image = explanation.image
        nats = np.log(0.98) + logits - 10
        words = Readings(logits, nats, tuple(token.text for token in answer.tokens))
        none = np.zeros((0, *plan.grid), np.bool_)
        tables = tables_of(answer, plan, words, none, [said], image, "")
        return Record("interventions", asdict(plan), tables, made_by, {plan.method: image})
        yield

    def faithfulness_record_steps(self, *_arguments: Any) -> Iterator[None]:
        raise MethodError("The fake model has nothing that could be removed.")
        yield

    def prompts_steps(
        self, current: Any, radiograph: Radiograph, plan: Any, check: Any, progress: Any
    ) -> Iterator[None]:
        self.asked_in_words.append(plan)
        self.hold.pass_through(check)
        if self.prompts_error is not None:
            raise self.prompts_error
        return fake_steps(radiograph, plan, check, progress, make_answer, make_explanation)

    def view_steps(self, *_arguments: Any) -> Iterator[None]:
        raise MethodError("The fake model has no layers to look into.")
        yield

    def words_steps(self, *_arguments: Any) -> Iterator[None]:
        raise MethodError("The fake model looks nowhere for words.")
        yield

    def pipeline_steps(self, *_arguments: Any) -> Iterator[None]:
        raise MethodError("The fake model has no way to a map.")
        yield
