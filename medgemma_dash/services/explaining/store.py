"""What is known about why one answer was given, row by row."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import NoExplanationError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.kept import Kept
from medgemma_dash.core.relevance import KnownRelevance, Relevance
from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.rows import (
    ChosenOptions,
    Origin,
    assemble,
    is_assembled,
)

BUDGET_BYTES = 64 << 20


@dataclass(frozen=True, eq=False)
class _Entry:
    """Relevance of all tokens by one method with one choice of options; or of one target."""

    known: KnownRelevance
    origin: Origin

    @property
    def bytes(self) -> int:
        return self.known.relevance.nbytes


# Method and options; and of what is kept as it is the target: its tokens, and the ids that they
# are held against. What a target is called changes nothing.
_Place = tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]
_Key = tuple[str, tuple[tuple[str, str], ...], _Place | None]


class RelevanceStore:
    """The relevance of one answer's tokens in one session, filled by clicks and by explain-all.

    A span, a phrase or the whole answer is the mean of its tokens' rows, and so is known as
    soon as each of its tokens is. Contrasts, and what a method explains in one go, are kept one by
    one. When the budget is spent, what was used least recently is forgotten; the newest is always
    kept. Safe to use from any thread.
    """

    def __init__(self, answer: Answer, budget_bytes: int = BUDGET_BYTES) -> None:
        self.answer = answer
        self._kept: Kept[_Key, _Entry] = Kept(budget_bytes, lambda entry: entry.bytes)
        self._lock = threading.RLock()

    @property
    def bytes(self) -> int:
        """Bytes of all kept arrays."""
        with self._lock:
            return self._kept.bytes

    def fill(
        self,
        token_indices: Sequence[int],
        relevance: Relevance,
        origin: Origin,
        options: ChosenOptions = (),
    ) -> None:
        """Put these tokens' relevance into the method's. Empty rows are a result: spans count them.

        Raises ValueError when it belongs to another answer.
        """
        if relevance.rows.shape[1] != len(self.answer.input_ids):
            raise ValueError("The rows belong to another answer.")
        key = _key(origin.provenance.method, options)
        with self._lock:
            entry = self._kept.get(key) or _empty(len(self.answer.tokens), relevance, origin)
            arrays = zip(entry.known.relevance.arrays, relevance.arrays, strict=True)
            for kept, given in arrays:
                kept[list(token_indices)] = given
            entry.known.filled[list(token_indices)] = True
            self._kept.put(key, entry)

    def add(self, explanation: Explanation, options: ChosenOptions = ()) -> None:
        """Keep a result that was computed with these options.

        A single token's is one of the method's rows; any other is kept as it is.
        Raises ValueError when it explains another answer.
        """
        self._check(explanation)
        target, relevance = explanation.target, _one_row(explanation)
        origin = Origin(explanation.provenance, explanation.signed)
        if target.contrastive or len(target.token_indices) > 1:
            key = _key(explanation.method, options, target)
            with self._lock:
                filled = np.ones(1, np.bool_)
                self._kept.put(key, _Entry(KnownRelevance(relevance, filled), origin))
        else:
            self.fill(target.token_indices, relevance, origin, options)

    def find(
        self, target: Target, method: str = "chefer", options: ChosenOptions = ()
    ) -> tuple[Relevance, Origin] | None:
        """What is known of the target's parts, for `assemble`; None when it is to be computed."""
        with self._lock:
            whole = self._kept.get(_key(method, options, target))
            if whole is not None:
                return whole.known.relevance, whole.origin
            if not is_assembled(target, options):
                return None
            entry, indices = self._kept.get(_key(method, options)), list(target.token_indices)
            if entry is None or not entry.known.filled[indices].all():
                return None
            return entry.known.relevance.of(indices), entry.origin

    def explanation(
        self, target: Target, method: str = "chefer", options: ChosenOptions = ()
    ) -> Explanation | None:
        """The target's explanation; None when it is not known, or known that there is none.

        Why there is none is said by `explain_steps`.
        """
        found = self.find(target, method, options)
        try:
            return None if found is None else assemble(self.answer, target, *found)
        except NoExplanationError:
            return None

    def missing(
        self, token_indices: Iterable[int], method: str = "chefer", options: ChosenOptions = ()
    ) -> tuple[int, ...]:
        """Those of the answer's tokens whose rows are not known yet, in the order given."""
        with self._lock:
            entry = self._kept.get(_key(method, options))
            if entry is None:
                return tuple(token_indices)
            return tuple(index for index in token_indices if not entry.known.filled[index])

    def tensor(self, method: str = "chefer", options: ChosenOptions = ()) -> KnownRelevance:
        """A copy of what is known of all tokens for a method."""
        tokens, positions = len(self.answer.tokens), len(self.answer.input_ids)
        with self._lock:
            entry = self._kept.get(_key(method, options))
            if entry is None:
                rows = np.zeros((tokens, positions), np.float32)
                return KnownRelevance(Relevance(rows), np.zeros(tokens, np.bool_))
            known = entry.known
            return KnownRelevance(known.relevance.of(range(tokens)), known.filled.copy())

    def _check(self, explanation: Explanation) -> None:
        images = self.answer.images
        same = explanation.provenance.image_sha256s == tuple(
            image.radiograph.sha256 for image in images
        )
        if not same or len(explanation.row) != len(self.answer.input_ids):
            raise ValueError("The explanation belongs to another answer.")
        for image, found in zip(images, explanation.images, strict=True):
            if not np.array_equal(found.ravel(), explanation.row[slice(*image.span)]):
                raise ValueError("The explanation's picture is not its row at the soft tokens.")


def _empty(tokens: int, like: Relevance, origin: Origin) -> _Entry:
    """Room for all tokens, for what comes with `like`."""

    def room(array: np.ndarray) -> np.ndarray:
        return np.zeros((tokens, *array.shape[1:]), array.dtype)

    relevance = Relevance(
        rows=room(like.rows),
        layers=None if like.layers is None else room(like.layers),
        gaps=None if like.gaps is None else room(like.gaps),
        fine=tuple(map(room, like.fine)),
        seconds=None if like.seconds is None else room(like.seconds),
    )
    return _Entry(KnownRelevance(relevance, np.zeros(tokens, np.bool_)), origin)


def _one_row(explanation: Explanation) -> Relevance:
    gap = explanation.completeness_gap
    return Relevance(
        rows=explanation.row[np.newaxis],
        layers=explanation.layers[np.newaxis],
        gaps=None if gap is None else np.array([gap]),
        fine=tuple(fine[np.newaxis] for fine in explanation.fine_images),
        seconds=np.array([explanation.provenance.seconds]),
    )


def _key(method: str, options: ChosenOptions, target: Target | None = None) -> _Key:
    named = tuple(sorted((name, repr(value)) for name, value in dict(options).items()))
    if target is None:
        return method, named, None
    sides: tuple[tuple[int, ...], ...] = ()
    if target.margin is not None:
        sides = target.margin.yes_ids, target.margin.no_ids
    elif target.against is not None:
        sides = ((target.against.id,),)
    return method, named, (target.token_indices, sides)
