"""What a method says of itself: the pages, the cards and the command line are drawn from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import MethodError
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.typed_numbers import Numbers
from medgemma_dash.models.replay import Replay

Family = Literal["gradient", "attention", "activation", "vision tower", "perturbation", "control"]


@dataclass(frozen=True)
class Control:
    """One option of a method: the first choice is the default, and the paper's.

    numbers: what may be typed in place of a choice; None where the choices are all there is.
    """

    name: str
    label: str
    choices: tuple[str, ...]
    help: str
    numbers: Numbers | None = None

    @property
    def default(self) -> str:
        """The choice when none is made."""
        return self.choices[0]

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        named = ", ".join(self.choices)
        return named if self.numbers is None else f"{named}; or {self.numbers.what}"

    def allows(self, value: str) -> bool:
        """Whether it is a choice, or typed as `numbers` allows."""
        return value in self.choices or self.typed(value) is not None

    def typed(self, value: str) -> tuple[int, ...] | None:
        """The numbers typed in place of a choice, ascending; None when there are none."""
        return None if self.numbers is None else self.numbers.read(value)


@dataclass(frozen=True)
class MethodSpec:
    """A method's name, card and abilities.

    card: when to use it and when to distrust it, in plain words.
    formula: LaTeX, in the paper's symbols.
    cost: passes for one token with the replay at hand (F forward, B backward).
    needs: what of the model it cannot do without, beside the replayed answer; a few words.
    family: what it is made from; methods of one family stand together in lists.
    contrastive: whether it can explain one token against another.
    per_token: False where every word has the same map.
    all_tokens_at_once: True where one run gives all tokens for the price of one.
    """

    name: str
    title: str
    card: str
    formula: str
    source: str
    cost: str
    needs: str
    family: Family
    signed: bool
    contrastive: bool
    controls: tuple[Control, ...] = ()
    per_token: bool = True
    all_tokens_at_once: bool = False

    def settings(self, given: dict[str, str]) -> tuple[tuple[str, str], ...]:
        """All options with their values, in the order of `controls`.

        Raises MethodError for an option or a value that the method does not have.
        """
        names = [control.name for control in self.controls]
        for name in given:
            if name not in names:
                allowed = ", ".join(names) or "none"
                raise MethodError(f"{self.name} has no option {name!r}. Options: {allowed}.")
        for control in self.controls:
            value = given.get(control.name, control.default)
            if not control.allows(value):
                raise MethodError(
                    f"{self.name}: {control.name} is {value!r}. Allowed: {control.allowed}."
                )
        return tuple((c.name, given.get(c.name, c.default)) for c in self.controls)


@dataclass(frozen=True, eq=False)
class Rows:
    """What a method found.

    relevance: float32 (targets, S), on the processor.
    gaps: (targets,), for a method that promises completeness: what its row sums to, less the
        difference in the logit that it should sum to; None for all others.
    fine: for a method that sees the vision tower's patches, their relevance before it was pooled
        to the soft tokens, on the processor; None for all others.
    """

    relevance: Float[Tensor, "targets sequence"]
    gaps: tuple[float, ...] | None = None
    fine: Float[Tensor, "targets rows cols"] | None = None


@runtime_checkable
class Method(Protocol):
    """One attribution method. Every file in this folder defines one and registers it."""

    @property
    def spec(self) -> MethodSpec:
        """What the method says of itself."""
        ...

    def rows(
        self,
        replay: Replay,
        answer: Answer,
        targets: Sequence[Target],
        settings: tuple[tuple[str, str], ...],
        check: Check | None = None,
    ) -> Rows:
        """Relevance of every position for each target.

        A target is one token, or several whose logits are summed when the method's option says
        so; the mean of several tokens' maps is taken by the caller.

        Self-relevance is removed; positions after the predicting one are zero. The caller
        holds the model's lock. `check` is called at least once per layer or pass and may raise; a
        method that runs the model many times tells it how far it is, see `tell`.
        Raises MethodError, with the reason, where the method cannot run on this model.
        """
        ...
