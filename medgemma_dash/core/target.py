"""What is explained: which words of an answer, one against another, or the decision."""

from dataclasses import dataclass
from typing import Any, Literal

TargetKind = Literal["token", "span", "phrase", "answer", "margin"]


@dataclass(frozen=True)
class Against:
    """The token that the model did not say, for a contrastive target.

    asked: the words that were asked for, where the token is only the first of several.
    """

    id: int
    text: str
    asked: str = ""

    @property
    def notice(self) -> str:
        """What to know of a contrast with the beginning of a word; "" for a whole one."""
        if not self.asked:
            return ""
        return (
            f"“{self.asked}” is several tokens for this model: the contrast is with the first, "
            f"“{self.text.strip()}”, which other words may begin with too."
        )


@dataclass(frozen=True)
class Margin:
    """The two sides of a decision: z = logsumexp of one side's logits - that of the other's.

    yes_ids, no_ids: each side's one-token spellings, ascending; no token stands on both sides.
    yes_text, no_text: what the sides are called.
    """

    yes_ids: tuple[int, ...]
    no_ids: tuple[int, ...]
    yes_text: str
    no_text: str

    def __post_init__(self) -> None:
        if not self.yes_ids or not self.no_ids or {*self.yes_ids} & {*self.no_ids}:
            raise ValueError("Each side of a margin has tokens, and they share none.")


@dataclass(frozen=True)
class Target:
    """What of an answer is explained.

    token_indices: indices into `Answer.tokens`, ascending.
    text: the words they make; of a control token alone, what it does.
    against: for one token only: explain logit(token) - logit(against).
    margin: of the kind "margin" alone: explain the decision at the answer's first place, whichever
        token stands there; `token_indices` is then (0,), and `text` names the sides.
    """

    kind: TargetKind
    token_indices: tuple[int, ...]
    text: str
    against: Against | None = None
    margin: Margin | None = None

    def __post_init__(self) -> None:
        if (self.kind == "margin") != (self.margin is not None):
            raise ValueError("A target holds a margin if and only if that is its kind.")
        if self.margin is not None and (self.token_indices != (0,) or self.against is not None):
            raise ValueError("A margin is predicted at the first place, and is a contrast itself.")

    @property
    def contrastive(self) -> bool:
        """Whether it is a difference of logits, which not every method can explain."""
        return self.against is not None or self.margin is not None

    @property
    def parts(self) -> "tuple[Target, ...]":
        """Its tokens as targets of their own; a contrast is one place already, and stays whole."""
        if self.contrastive or len(self.token_indices) == 1:
            return (self,)
        return tuple(Target("token", (index,), "") for index in self.token_indices)


def target_from_dict(facts: dict[str, Any]) -> Target:
    """The target that `dataclasses.asdict` wrote; lists, as JSON has them, become tuples again."""
    against, margin = facts.get("against"), facts.get("margin")
    if margin is not None:
        ids = {side: tuple(margin[side]) for side in ("yes_ids", "no_ids")}
        margin = Margin(**(margin | ids))
    return Target(
        kind=facts["kind"],
        token_indices=tuple(facts["token_indices"]),
        text=facts["text"],
        against=None if against is None else Against(**against),
        margin=margin,
    )
