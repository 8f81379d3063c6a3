"""What the Prompt Sensitivity page keeps: what was asked of each question, and the chosen pair."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from medgemma_dash.metrics.agreement_controls import judged_agreement
from medgemma_dash.services.prompts.grid import prompt_grid
from medgemma_dash.services.prompts.tasks import prompts_task
from medgemma_dash.services.prompts.variants import variants_of
from medgemma_dash.ui.state.methods import DEFAULT_METHOD
from medgemma_dash.ui.state.session import LivesWith

if TYPE_CHECKING:
    from medgemma_dash.core.radiograph import Radiograph
    from medgemma_dash.core.record import Record
    from medgemma_dash.metrics.agreement_controls import JudgedAgreement
    from medgemma_dash.services.prompts.grid import Asked, PromptGrid
    from medgemma_dash.services.runtime.task import Task

# Widgets that keep their value for the session (persist_state="session").
PERTURBATIONS = "prompts_perturbations"
OTHER_PERTURBATIONS = "prompts_other_perturbations"
PROMPTS_METHOD = "prompts_method"
STRATEGIES = "prompts_strategies"  # and a question's number
OWN = "prompts_own"  # and a question's number

FIRST_PHRASINGS = 3  # beside the question itself, of the plan that a page opens with


@dataclass(frozen=True)
class PromptsChoice:
    """What is asked. variants: pairs of a strategy and a prompt."""

    question: str
    variants: tuple[tuple[str, str], ...]
    perturbations: tuple[str, ...] = ()
    method: str = DEFAULT_METHOD

    @property
    def answers(self) -> int:
        """How many it needs."""
        return (1 + len(self.variants)) * (1 + len(self.perturbations))

    def task(self, radiograph: Radiograph) -> Task[Record]:
        """What computes it, as the command does."""
        return prompts_task(
            radiograph,
            self.question,
            dict(self.variants),
            self.perturbations,
            self.method,
        )


@dataclass(eq=False)
class PromptsState:
    """What was asked about the open film.

    wanted: what was last asked for, by question. records: by what was asked.
    last: what was asked for the record that was computed last, by question.
    numbers: of the questions, in the keys of their widgets.
    films: small pictures of the film and of changed copies, once they were shown.
    """

    lives_with: ClassVar[LivesWith] = "study"
    wanted: dict[str, PromptsChoice] = field(default_factory=dict)
    records: dict[PromptsChoice, Record] = field(default_factory=dict)
    last: dict[str, PromptsChoice] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    films: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def choice(self, question: str) -> PromptsChoice | None:
        """What is asked of a question: what the reader chose, else a few phrasings; None where no
        rule makes any.
        """
        if question not in self.wanted:
            variants = variants_of(question)[:FIRST_PHRASINGS]
            if not variants:
                return None
            pairs = tuple((one.strategy, one.prompt) for one in variants)
            self.wanted[question] = PromptsChoice(question, pairs)
        return self.wanted[question]

    def keep(self, choice: PromptsChoice, record: Record) -> None:
        """Have it stand on the page until something else was computed of its question."""
        self.records[choice] = record
        self.last[choice.question] = choice

    def earlier(self, question: str) -> Record | None:
        """What was computed last of this question."""
        choice = self.last.get(question)
        return None if choice is None else self.records[choice]

    def number(self, question: str) -> int:
        """Of a question, in its widgets' keys."""
        return self.numbers.setdefault(question, len(self.numbers))


@dataclass(eq=False)
class PairState:
    """The record on screen, and the two of its prompts that are held against each other.

    turn: counts the clicks on the matrix, each of which makes new pickers: what the browser still
        says of the old ones is passed over.
    judged: what was worked out of pairs, by their names and the measure.
    """

    lives_with: ClassVar[LivesWith] = "session"
    record: Record | None = None
    grid: PromptGrid | None = None
    reference: str = ""
    chosen: str = ""
    turn: int = 0
    judged: dict[tuple[str, str, str], JudgedAgreement] = field(default_factory=dict)

    def show(self, record: Record) -> PromptGrid:
        """Begin with the most telling pair of a record that is new here.

        Raises ResultFileError where its tables are not those of its kind.
        """
        if self.record is not record or self.grid is None:
            grid = prompt_grid(record)
            self.record, self.grid, self.judged = record, grid, {}
            self.reference, self.chosen = grid.baseline.name, grid.most_telling.name
            self.turn += 1
        return self.grid

    def of(self, grid: PromptGrid) -> tuple[Asked, Asked]:
        """The reference and the chosen one."""
        reference, chosen = grid.named(self.reference), grid.named(self.chosen)
        return reference or grid.baseline, chosen or grid.baseline

    def judge(self, first: Asked, second: Asked, measure: str) -> JudgedAgreement | None:
        """How alike their maps are beside controls; None where one has no map."""
        if first.image_map is None or second.image_map is None:
            return None
        key = first.name, second.name, measure
        if key not in self.judged:
            self.judged[key] = judged_agreement(first.image_map, second.image_map, measure)
        return self.judged[key]
