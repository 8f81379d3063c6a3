"""What a method says of itself: the pages, the cards and the command line are drawn from it."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from medgemma_dash.core.errors import MethodError, TargetError
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.core.target import Target
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import NoOptions, Option

Family = Literal["gradient", "attention", "activation", "vision tower", "perturbation", "control"]


@dataclass(frozen=True)
class MethodSpec:
    """A method's name, card and abilities.

    card: when to use it and when to distrust it, in plain words.
    formula: LaTeX, in the paper's symbols.
    cost: passes for one token with the replay at hand (F forward, B backward).
    passes: about how many of those, by its first options, on a grid of 16 x 16.
    needs: what of the model it cannot do without, beside the replayed answer; a few words.
    family: what it is made from; methods of one family stand together in lists.
    contrastive: whether it can explain one token against another, and a margin.
    options: what may be chosen; options_type: a frozen dataclass with a field of the same name
        for each, its default the option's first choice.
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
    options: tuple[Option, ...] = ()
    options_type: type = NoOptions
    per_token: bool = True
    all_tokens_at_once: bool = False
    passes: int = 1

    def option_values(self, given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """All options with their values as texts, in the order of `options`.

        Raises MethodError for an option or a value that the method does not have.
        """
        names = [option.name for option in self.options]
        for name in given:
            if name not in names:
                allowed = ", ".join(names) or "none"
                raise MethodError(f"{self.name} has no option {name!r}. Options: {allowed}.")
        for option in self.options:
            value = given.get(option.name, option.default)
            if not option.allows(value):
                raise MethodError(
                    f"{self.name}: {option.name} is {value!r}. Allowed: {option.allowed}."
                )
        return tuple((o.name, given.get(o.name, o.default)) for o in self.options)

    def parse(self, given: Mapping[str, str]) -> Any:
        """The `option_values` as an `options_type`; raises MethodError as those do."""
        texts = dict(self.option_values(given))
        return self.options_type(**{o.name: o.value(texts[o.name]) for o in self.options})

    def check_target(self, target: Target) -> None:
        """Raise TargetError for a difference of logits that the method knows nothing of."""
        if self.contrastive or not target.contrastive:
            return
        if target.margin is not None:
            raise TargetError(
                f"{self.title} cannot explain a decision between two sides. Explain the word "
                "alone, or choose another method."
            )
        raise TargetError(
            f"{self.title} cannot explain one token against another. Explain the word alone, or "
            "choose another method."
        )


@runtime_checkable
class Method(Protocol):
    """One attribution method; a file in this folder that defines METHOD registers it."""

    @property
    def spec(self) -> MethodSpec:
        """What the method says of itself."""
        ...

    def rows(self, call: Call[Any]) -> Relevance:
        """Relevance of every position for each of the call's targets, one row each.

        A target is one token, a margin, or several tokens whose logits are summed when the
        method's option says so; the mean of several tokens' maps is taken by the caller.
        `Call.relevance` makes the result, which ends in front of the predicting position; layers
        and seconds are filled in by the caller.

        The caller holds the model's lock. `call.check` is called at least once per layer or pass
        and may raise; a method that runs the model many times tells it how far it is, see `tell`.
        Raises MethodError, with the reason, where the method cannot run on this model.
        """
        ...


@runtime_checkable
class SteppedMethod(Method, Protocol):
    """A method that runs the model many times, and lets others have it in between."""

    def steps(self, call: Call[Any]) -> Generator[None, None, Relevance]:
        """As `rows`, which goes through it without a pause.

        The model is as it was before the call at every yield, where the caller may release its
        lock. The call's replay may be without a graph: what waits must not hold one.
        """
        ...
