"""The relevancy tensor as an .npz file that loads without pickle."""

import json
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Provenance
from medgemma_dash.core.notices import notices
from medgemma_dash.core.npz import npz_bytes
from medgemma_dash.services.exporting.document import provenance_facts
from medgemma_dash.services.exporting.subject import film_names, rendered_prompt


def relevancy_npz(
    answer: Answer,
    relevancy: Float[np.ndarray, "tokens positions"],
    provenance: Provenance,
    filled: Bool[np.ndarray, " tokens"] | None = None,
    fine: Sequence[Float[np.ndarray, "tokens patch_rows patch_cols"]] = (),
    films: Sequence[str] = (),
) -> bytes:
    """The tensor, bit for bit, and what its axes mean.

    filled: which tokens' rows were computed; None means all. fine: see `Relevance.fine`.
    Holds the arrays `relevancy` (T, S), `filled` (T,), `image_span`, `grid`, `token_ids`,
    `token_texts` and the texts `provenance` (JSON), `films`, `rendered_prompt` and
    `notices`; `fine` (T, rows, columns) where the method saw patches. Span, grid and `fine` are
    the current image's; of several images, `image_spans` (n, 2) and `grids` (n, 2) are of all,
    and `fine_0`, `fine_1`, ... of the earlier.
    Raises ValueError when the shapes do not fit the answer.
    """
    tokens = len(answer.tokens)
    known = np.ones(tokens, np.bool_) if filled is None else filled
    expected = (tokens, len(answer.input_ids))
    if relevancy.shape != expected or relevancy.dtype != np.float32 or known.shape != (tokens,):
        raise ValueError(f"The tensor is float32 of shape {expected}, with a mask of its rows.")
    arrays = {
        "relevancy": np.ascontiguousarray(relevancy),
        "filled": known,
        "image_span": np.asarray(answer.image_span, np.int64),
        "grid": np.asarray(answer.grid, np.int64),
        "token_ids": np.asarray([token.id for token in answer.tokens], np.int64),
        "token_texts": np.asarray([token.text for token in answer.tokens], np.str_),
        "provenance": np.asarray(json.dumps(provenance_facts(provenance)), np.str_),
        "films": np.asarray(films or film_names(answer), np.str_),
        "rendered_prompt": np.asarray(rendered_prompt(answer), np.str_),
        "notices": np.asarray(notices(provenance.is_demo), np.str_),
    }
    if len(answer.images) > 1:
        arrays["image_spans"] = np.asarray([image.span for image in answer.images], np.int64)
        arrays["grids"] = np.asarray([image.grid for image in answer.images], np.int64)
    for number, patches in enumerate(fine):
        name = "fine" if number == len(fine) - 1 else f"fine_{number}"
        arrays[name] = np.ascontiguousarray(patches)
    return npz_bytes(arrays)
