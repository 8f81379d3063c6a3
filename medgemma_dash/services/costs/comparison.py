"""The streaming engine beside a bare backward pass and the textbook way, in one run."""

from dataclasses import dataclass
from functools import partial
from statistics import median

import torch

from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.plain_forward import textbook_mode
from medgemma_dash.models.replay import Replay
from medgemma_dash.services.costs.measure import extra_peak_bytes, seconds
from medgemma_dash.services.costs.textbook import Textbook, textbook_forward
from medgemma_dash.services.costs.workload import ANSWER_TOKENS, Workload, build_workload

GRAPH_BUDGET_BYTES = 1 << 36  # kept whatever its size: this is about what keeping costs


@dataclass(frozen=True)
class Timing:
    """One kind of work: seconds of every round, and extra peak memory."""

    rounds: tuple[float, ...]
    extra_bytes: int

    @property
    def seconds(self) -> float:
        """The median round."""
        return median(self.rounds)


@dataclass(frozen=True)
class CostComparison:
    """All kinds of work on one model at one length; rounds of one index ran back to back."""

    length: int
    bare: Timing
    click: Timing
    recomputed: Timing
    textbook_backward: Timing
    textbook_whole: Timing
    whole_answer_seconds: float
    clicks_beside_whole_answer: float

    @property
    def whole_answer_ratio(self) -> float:
        """Seconds for all T tokens, over T times a click measured beside it."""
        return self.whole_answer_seconds / (ANSWER_TOKENS * self.clicks_beside_whole_answer)


def ratio(of: Timing, to: Timing) -> float:
    """Median over rounds of the ratio within a round: slow spells hit both alike."""
    return median(a / b for a, b in zip(of.rounds, to.rounds, strict=True))


def compare_costs(model: VisionLanguageModel, length: int, rounds: int = 5) -> CostComparison:
    """Measure one model at one sequence length; the model is left as it was.

    But for hooks that transformers hangs up when it is first asked for attentions, and that do
    nothing unless it is asked again: the textbook way needs them.
    """
    work = build_workload(model, length)
    device = model.device
    budget = model.replays.budget_bytes
    with model.lock:
        try:
            model.replays.budget_bytes = GRAPH_BUDGET_BYTES
            kept = work.replay()
            model.replays.budget_bytes = 0
            recomputing = work.replay()
            times = _rounds(work, kept, recomputing, rounds)
            model.replays.budget_bytes = GRAPH_BUDGET_BYTES
            click_bytes = extra_peak_bytes(lambda: work.click(work.replay()), device)
            model.replays.budget_bytes = 0
            recomputed_bytes = extra_peak_bytes(lambda: work.click(work.replay()), device)
            bare_bytes = extra_peak_bytes(lambda: work.bare()(), device)
            with textbook_mode(model):
                textbook_bytes = extra_peak_bytes(
                    lambda: textbook_forward(work).click(work.row), device
                )
            before = seconds(lambda: work.click(kept), device)
            whole = seconds(lambda: work.whole_answer(kept), device)
            after = seconds(lambda: work.click(kept), device)
        finally:
            model.replays.budget_bytes = budget
    return CostComparison(
        length=length,
        bare=Timing(times["bare"], bare_bytes),
        click=Timing(times["click"], click_bytes),
        recomputed=Timing(times["recomputed"], recomputed_bytes),
        textbook_backward=Timing(times["textbook backward"], textbook_bytes),
        textbook_whole=Timing(times["textbook whole"], textbook_bytes),
        whole_answer_seconds=whole,
        clicks_beside_whole_answer=median([before, after, *times["click"]]),
    )


def _rounds(
    work: Workload, kept: Replay, recomputing: Replay, rounds: int
) -> dict[str, tuple[float, ...]]:
    device = work.model.device
    bare = work.bare()
    found: dict[str, list[float]] = {}

    def note(kind: str, spent: float) -> None:
        found.setdefault(kind, []).append(spent)

    for _ in range(rounds + 1):
        note("bare", seconds(bare, device))
        note("click", seconds(lambda: work.click(kept), device))
        note("recomputed", seconds(lambda: work.click(recomputing), device))
        with textbook_mode(work.model):
            forward, book = _timed_forward(work, device)
            backward = seconds(partial(book.click, work.row), device)
            del book
        note("textbook backward", backward)
        note("textbook whole", forward + backward)
    # The first round warms caches and allocators up.
    return {kind: tuple(spent[1:]) for kind, spent in found.items()}


def _timed_forward(work: Workload, device: torch.device) -> tuple[float, Textbook]:
    books: list[Textbook] = []
    spent = seconds(lambda: books.append(textbook_forward(work)), device)
    return spent, books[0]


def same_row(model: VisionLanguageModel, length: int) -> float:
    """Largest relative difference between the streamed row and the textbook's, as a guard."""
    work = build_workload(model, length)
    with model.lock:
        streamed = work.click(work.replay())[0]
        with textbook_mode(model):
            row = textbook_forward(work).click(work.row).cpu()
    row = row.detach()
    row[work.row] = 0
    return float(
        (streamed - row).abs().max() / row.abs().max().clamp_min(torch.finfo(torch.float32).tiny)
    )
