"""What is known about why one answer was given, row by row."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation, Provenance
from medgemma_dash.core.target import Against, Target
from medgemma_dash.services.explaining.rows import (
    MethodSettings,
    RelevanceTensor,
    RowBatch,
    is_assembled,
    mean_row,
)

BUDGET_BYTES = 64 << 20


@dataclass(eq=False)
class _Sheet:
    """The rows of one method with one choice of settings, and what each of them cost."""

    rows: Float[np.ndarray, "tokens positions"]
    layers: Float[np.ndarray, "tokens layers"]
    filled: Bool[np.ndarray, " tokens"]
    seconds: Float[np.ndarray, " tokens"]
    signed: bool
    provenance: Provenance | None
    gaps: Float[np.ndarray, " tokens"] | None = None
    at_once: bool = False

    @property
    def bytes(self) -> int:
        return int(self.rows.nbytes + self.layers.nbytes)


_SheetKey = tuple[str, tuple[tuple[str, str], ...]]
_ResultKey = tuple[_SheetKey, tuple[int, ...], int | None]


class RelevanceStore:
    """The relevancy tensors of one answer in one session, filled by clicks and by explain-all.

    A span, a phrase or the whole answer is the mean of its tokens' rows, and so is known as
    soon as each of its tokens is. Contrastive results are kept one by one. When the budget is
    spent, the method used least recently is forgotten; the newest is always kept.
    Safe to use from any thread.
    """

    def __init__(self, answer: Answer, budget_bytes: int = BUDGET_BYTES) -> None:
        self.answer = answer
        self._budget_bytes = budget_bytes
        self._kept: OrderedDict[_SheetKey | _ResultKey, _Sheet | Explanation] = OrderedDict()
        self._lock = threading.RLock()

    @property
    def bytes(self) -> int:
        """Bytes of all kept arrays."""
        with self._lock:
            return sum(_bytes(entry) for entry in self._kept.values())

    def fill(self, batch: RowBatch, method: str = "chefer", settings: MethodSettings = ()) -> None:
        """Put rows into a method's tensor."""
        if batch.rows.shape[1] != len(self.answer.input_ids):
            raise ValueError("The rows belong to another answer.")
        indices = list(batch.token_indices)
        with self._lock:
            key = _sheet_key(method, settings)
            sheet = self._get(key)
            if not isinstance(sheet, _Sheet):
                sheet = self._kept[key] = self._new_sheet(batch)
            sheet.rows[indices] = batch.rows
            sheet.layers[indices] = batch.layers
            sheet.filled[indices] = True
            sheet.seconds[indices] = batch.seconds
            if batch.gaps is not None and sheet.gaps is not None:
                sheet.gaps[indices] = batch.gaps
            sheet.provenance = sheet.provenance or batch.provenance
            self._evict()

    def add(self, explanation: Explanation, settings: MethodSettings = ()) -> None:
        """Keep a result that was computed with these settings.

        A single token's row goes into the tensor; any other result is kept as it is.
        Raises ValueError when it explains another answer.
        """
        self._check(explanation)
        target = explanation.target
        if len(target.token_indices) == 1 and target.against is None:
            batch = RowBatch(
                target.token_indices,
                explanation.row[np.newaxis],
                explanation.layers[np.newaxis],
                explanation.signed,
                explanation.provenance,
                _one_gap(explanation.completeness_gap),
                explanation.provenance.seconds,
            )
            self.fill(batch, explanation.method, settings)
            return
        with self._lock:
            key = _result_key(target, explanation.method, settings)
            self._kept[key] = explanation
            self._kept.move_to_end(key)
            self._evict()

    def explanation(
        self,
        target: Target,
        method: str = "chefer",
        settings: MethodSettings = (),
        against: Against | None = None,
    ) -> Explanation | None:
        """The explanation of the target, or None when it has to be computed first.

        against: takes the place of `target.against`.
        """
        target = target if against is None else replace(target, against=against)
        with self._lock:
            result = self._get(_result_key(target, method, settings))
            if isinstance(result, Explanation):
                return replace(result, target=target)
            if not is_assembled(target, settings):
                return None
            sheet = self._get(_sheet_key(method, settings))
            indices = list(target.token_indices)
            if not isinstance(sheet, _Sheet) or not sheet.filled[indices].all():
                return None
            row, layers = mean_row(sheet.rows[indices]), mean_row(sheet.layers[indices])
            signed, provenance = sheet.signed, sheet.provenance
            # The rows may come from different batches, and a span costs what its words cost; of a
            # run that gives all words, the whole run, once.
            spent = sheet.seconds[indices]
            seconds = float(spent.max() if sheet.at_once else spent.sum())
            gap = None if sheet.gaps is None else float(sheet.gaps[indices].mean())
        if provenance is None or not row.any() or not np.isfinite(row).all():
            return None  # computing it again says why there is nothing to show
        start, stop = self.answer.image_span
        return Explanation(
            image=row[start:stop].reshape(self.answer.grid).copy(),
            row=row,
            layers=layers,
            method=method,
            target=target,
            signed=signed,
            provenance=replace(provenance, seconds=seconds),
            completeness_gap=gap,
            radiograph=self.answer.radiograph,
        )

    def missing(
        self, token_indices: Iterable[int], method: str = "chefer", settings: MethodSettings = ()
    ) -> tuple[int, ...]:
        """Those of the answer's tokens whose rows are not known yet, in the order given."""
        with self._lock:
            sheet = self._get(_sheet_key(method, settings))
            if not isinstance(sheet, _Sheet):
                return tuple(token_indices)
            return tuple(index for index in token_indices if not sheet.filled[index])

    def tensor(self, method: str = "chefer", settings: MethodSettings = ()) -> RelevanceTensor:
        """A copy of all rows known for a method."""
        with self._lock:
            sheet = self._get(_sheet_key(method, settings))
            if isinstance(sheet, _Sheet):
                return RelevanceTensor(sheet.rows.copy(), sheet.filled.copy())
            tokens, positions = len(self.answer.tokens), len(self.answer.input_ids)
            rows = np.zeros((tokens, positions), np.float32)
            return RelevanceTensor(rows, np.zeros(tokens, np.bool_))

    def words_on_cells(
        self,
        cells: Iterable[tuple[int, int]],
        method: str = "chefer",
        settings: MethodSettings = (),
        *,
        share: bool = False,
    ) -> Float[np.ndarray, " tokens"]:
        """How much relevance each token of the answer put on these cells of the picture.

        cells: (row, column) pairs. Returns float32 (T,), NaN for tokens not explained yet.
        share: as a share of all positive relevance that the token put on the picture, which
            can be compared between tokens; the raw sum depends on each logit's scale.
        Raises ValueError for a cell outside the grid.
        """
        rows, cols = self.answer.grid
        chosen = np.zeros((rows, cols), np.bool_)
        for row, col in cells:
            if not (0 <= row < rows and 0 <= col < cols):
                raise ValueError(f"Cell (row={row}, column={col}) is outside {rows} x {cols}.")
            chosen[row, col] = True
        known = self.tensor(method, settings)
        start, stop = self.answer.image_span
        pictures = known.relevancy[:, start:stop].astype(np.float64)
        sums = pictures[:, chosen.ravel()].sum(axis=1)
        if share:
            totals = pictures.clip(0).sum(axis=1)
            sums = np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)
        return np.where(known.filled, sums, np.nan).astype(np.float32)

    def _new_sheet(self, batch: RowBatch) -> _Sheet:
        tokens = len(self.answer.tokens)
        return _Sheet(
            rows=np.zeros((tokens, batch.rows.shape[1]), np.float32),
            layers=np.zeros((tokens, batch.layers.shape[1]), np.float32),
            filled=np.zeros(tokens, np.bool_),
            seconds=np.zeros(tokens),
            signed=batch.signed,
            provenance=batch.provenance,
            gaps=None if batch.gaps is None else np.zeros(tokens),
            at_once=batch.at_once,
        )

    def _evict(self) -> None:
        while len(self._kept) > 1 and self.bytes > self._budget_bytes:
            self._kept.popitem(last=False)

    def _get(self, key: _SheetKey | _ResultKey) -> _Sheet | Explanation | None:
        entry = self._kept.get(key)
        if entry is not None:
            self._kept.move_to_end(key)
        return entry

    def _check(self, explanation: Explanation) -> None:
        answer = self.answer
        start, stop = answer.image_span
        same_image = explanation.provenance.image_sha256 == answer.radiograph.sha256
        if not same_image or len(explanation.row) != len(answer.input_ids):
            raise ValueError("The explanation belongs to another answer.")
        if not np.array_equal(explanation.image.ravel(), explanation.row[start:stop]):
            raise ValueError("The explanation's picture is not its row at the soft tokens.")


def _one_gap(gap: float | None) -> Float[np.ndarray, " tokens"] | None:
    return None if gap is None else np.array([gap])


def _bytes(entry: _Sheet | Explanation) -> int:
    if isinstance(entry, _Sheet):
        return entry.bytes
    return int(entry.row.nbytes + entry.image.nbytes + entry.layers.nbytes)


def _sheet_key(method: str, settings: MethodSettings) -> _SheetKey:
    return method, tuple(sorted((name, repr(value)) for name, value in dict(settings).items()))


def _result_key(target: Target, method: str, settings: MethodSettings) -> _ResultKey:
    against_id = None if target.against is None else target.against.id
    return _sheet_key(method, settings), target.token_indices, against_id
