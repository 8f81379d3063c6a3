"""One token's way from the sequence to its map, with the mistakes beside it, in steps."""

from collections.abc import Callable, Generator

import torch

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import NoExplanationError
from medgemma_dash.core.progress import finish
from medgemma_dash.core.target import Target
from medgemma_dash.methods.call import logit_target
from medgemma_dash.methods.layer_walk import LayerWalk, walk_layers
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.logit_target import LogitTarget, normed, read_terms
from medgemma_dash.models.replay import Replay
from medgemma_dash.services.explaining.steps import Reports, explain_steps
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.layers.view import view_of
from medgemma_dash.services.pipeline.mistakes import EVERY, RightWay, logits_there
from medgemma_dash.services.pipeline.view import LogitThere, PipelineView

CANDIDATES = 6
METHOD = "chefer"


def pipeline_steps(
    current: Callable[[], VisionLanguageModel],
    store: RelevanceStore,
    target: Target,
    place: int,
    context: Reports,
) -> Generator[None, None, PipelineView]:
    """Everything behind the map of one of a target's parts; yields before each mistake.

    place: which of `target.parts`. Where there are several, the word's own map comes by way of the
    store, as the engine's explanation does.
    Raises NoExplanationError where the map is empty.
    """
    answer, part = store.answer, target.parts[place]
    word = None
    if len(target.parts) > 1:
        word = yield from explain_steps(current, store, target, METHOD, (), context)
        yield
    total = 1 + len(EVERY)
    context.progress(0, total)
    model = current()
    logit = logit_target(answer, part)
    with model.lock:
        replay = replay_answer(model, answer, context.check)
        walk = walk_layers(replay, logit, context.check)
        z = _value(replay, logit)
        candidates = _candidates(replay, logit)
    _check_found(walk)
    arrays = (part.numpy() for part in (walk.attention, walk.weighted, walk.gathered))
    layers = view_of(model, answer, part, *arrays)
    mistakes = []
    for done, make in enumerate(EVERY, 1):
        context.progress(done, total)
        yield
        model = current()
        with model.lock:
            replay = replay_answer(model, answer, context.check)
            right = RightWay(replay, answer, part, layers.gathered_map(0), context.check)
            mistakes.append(make(right))
    context.progress(total, total)
    return PipelineView(
        answer_key=answer.key,
        target=part,
        position=logit.rows[0] + 1,
        layers=layers,
        gradient=walk.gradient.numpy(),
        logit=z,
        candidates=candidates,
        mistakes=tuple(mistakes),
        word=word,
    )


def pipeline_view(
    model: VisionLanguageModel, answer: Answer, target: Target, place: int = 0
) -> PipelineView:
    """The same at once, for one of a target's parts; see `PipelineView`."""
    steps = pipeline_steps(lambda: model, RelevanceStore(answer), target, place, _Unwatched())
    return finish(steps)


class _Unwatched:
    """In the place of a job's context: nobody waits, and nobody stops it."""

    def check(self) -> None:
        """Go on."""

    def progress(self, done: int, total: int) -> None:
        """Nobody asks."""

    def note(self, words: str) -> None:
        """Nobody asks."""

    def emit(self, value: object) -> None:
        """Nobody listens."""


def _value(replay: Replay, logit: LogitTarget) -> float:
    """z itself."""
    terms = logit.terms
    with torch.no_grad():
        states = normed(replay.model, replay.final[[term.row for term in terms]])
        values = read_terms(replay.model, states, terms).tolist()
    return float(sum(term.weight * value for term, value in zip(terms, values, strict=True)))


def _candidates(replay: Replay, logit: LogitTarget) -> tuple[LogitThere, ...]:
    """The token's logit at p-1, and the largest others, best first."""
    row, token = logit.rows[0], logit.terms[0].ids[0]
    best = replay.logits(row).topk(CANDIDATES).indices.tolist()
    others = [one for one in best if one != token][: CANDIDATES - 1]
    return logits_there(replay, row, torch.tensor([token, *others]))


def _check_found(walk: LayerWalk) -> None:
    row = walk.gathered[0]
    if not bool(row.isfinite().all()):
        raise NoExplanationError("Chefer gave numbers that are not finite. Try float32.")
    if not bool(row.any()):
        raise NoExplanationError(
            "Chefer found no relevance at all for this token: there is no map to make. Choose "
            "another word."
        )
