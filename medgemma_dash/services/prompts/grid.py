"""A prompts record as a grid of prompts and images; no model is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.record import Record
from medgemma_dash.core.words import WordRelevance
from medgemma_dash.services.prompts.reading import summary_lines

PUNCTUATION = "?.,;:!"
Place = tuple[str, str]  # a strategy and a change of the image


@dataclass(frozen=True, eq=False)
class Asked:
    """One prompt about one image, as a row of the record's table prompts has it.

    image_map: raw; None where there is none, and `no_map` says why.
    words: of the prompt, by their relevance for the margin, the most relevant first.
    """

    name: str
    prompt: str
    strategy: str
    perturbation: str
    answer: str
    parsed: str
    margin: float
    probability_yes: float
    probability_no: float
    image_map: npt.NDArray[np.float32] | None
    no_map: str
    words: tuple[WordRelevance, ...]


@dataclass(frozen=True, eq=False)
class PromptGrid:
    """What was asked, by prompt and image.

    strategies, perturbations: in their order, the question itself and the image itself first.
    lines: what the record says, see `summary_lines`.
    """

    strategies: tuple[str, ...]
    perturbations: tuple[str, ...]
    cells: Mapping[Place, Asked]
    lines: tuple[str, ...]

    @property
    def baseline(self) -> Asked:
        """The question itself about the image itself."""
        return self.cells[self.strategies[0], self.perturbations[0]]

    @property
    def signed(self) -> bool:
        """Whether any of its maps has evidence against."""
        return any(float(one.min()) < 0 for one in self.maps)

    @property
    def maps(self) -> tuple[npt.NDArray[np.float32], ...]:
        """All that there are."""
        return tuple(one.image_map for one in self.cells.values() if one.image_map is not None)

    @property
    def most_telling(self) -> Asked:
        """What to look at first: a changed answer, else the margin that moved most."""
        first = self.baseline
        others = [one for one in self.cells.values() if one is not first] or [first]
        return max(
            others, key=lambda one: (one.parsed != first.parsed, abs(one.margin - first.margin))
        )

    def named(self, name: str) -> Asked | None:
        """The one with this name."""
        return next((one for one in self.cells.values() if one.name == name), None)


def _bare(word: str) -> str:
    """Without the punctuation behind it: one prompt's "pneumonia?" is another's "pneumonia"."""
    return word.rstrip(PUNCTUATION) or word


def prompt_grid(record: Record) -> PromptGrid:
    """Raises ResultFileError where the record's tables are not those of its kind."""
    try:
        return _read(record)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ResultFileError(
            "The record's tables are not those of prompt sensitivity; docs/records.md says what "
            "stands in them."
        ) from error


def _read(record: Record) -> PromptGrid:
    words: dict[str, list[WordRelevance]] = {}
    for row in record.tables["prompt_words"].to_dict("records"):
        one = WordRelevance(_bare(str(row["word"])), float(row["relevance"]))
        words.setdefault(str(row["name"]), []).append(one)
    asked = [
        Asked(
            name=str(row["name"]),
            prompt=str(row["prompt"]),
            strategy=str(row["strategy"]),
            perturbation=str(row["perturbation"]),
            answer=str(row["answer"]),
            parsed=str(row["parsed"]),
            margin=float(row["margin"]),
            probability_yes=float(row["probability_yes"]),
            probability_no=float(row["probability_no"]),
            image_map=record.maps[row["map"]] if row["map"] else None,
            no_map=str(row["no_map"]),
            words=tuple(words.get(str(row["name"]), ())),
        )
        for row in record.tables["prompts"].to_dict("records")
    ]
    cells = {(one.strategy, one.perturbation): one for one in asked}
    grid = PromptGrid(
        strategies=tuple(dict.fromkeys(one.strategy for one in asked)),
        perturbations=tuple(dict.fromkeys(one.perturbation for one in asked)),
        cells=cells,
        lines=tuple(summary_lines(record)),
    )
    shapes = {image.shape for image in grid.maps}
    if len(cells) != len(asked) or len(shapes) > 1 or grid.baseline is not asked[0]:
        raise ValueError("No grid: rows that stand twice, or maps of several shapes.")
    return grid
