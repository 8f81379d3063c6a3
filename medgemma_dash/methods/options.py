"""What a method lets its reader choose: texts outside, typed values inside."""

from dataclasses import dataclass
from typing import Literal

from medgemma_dash.methods.typed_numbers import Numbers


@dataclass(frozen=True)
class Option:
    """One option of a method: the first choice is the default, and the paper's.

    name: of the field in the method's options, and of the argument in `explain`.
    choices: as they are given from outside: in Python, on the command line, in a URL.
    values: what the method is given for each choice; empty where it is given the texts.
    numbers: what may be typed in place of a choice; None where the choices are all there is.
    """

    name: str
    label: str
    choices: tuple[str, ...]
    help: str
    values: tuple[object, ...] = ()
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

    def allows(self, text: str) -> bool:
        """Whether it is a choice, or typed as `numbers` allows."""
        return text in self.choices or self._typed(text) is not None

    def value(self, text: str) -> object:
        """What the method is given; one number, or several ascending, where they were typed.

        Raises ValueError for what is not allowed.
        """
        if text in self.choices:
            return (self.values or self.choices)[self.choices.index(text)]
        typed = self._typed(text)
        if typed is None or self.numbers is None:
            raise ValueError(f"{text!r} is not allowed.")
        return typed if self.numbers.several else typed[0]

    def _typed(self, text: str) -> tuple[int, ...] | None:
        return None if self.numbers is None else self.numbers.read(text)


@dataclass(frozen=True)
class NoOptions:
    """Of a method that lets nothing be chosen."""


# A phrase as the caller's mean of its tokens' maps, or as one target.
SeveralWords = Literal["mean of maps", "summed logits"]


@dataclass(frozen=True)
class WordsOptions:
    """Of a method that lets no more be chosen than what becomes of several words."""

    words: SeveralWords = "mean of maps"
