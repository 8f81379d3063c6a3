"""One explanation as JSON, with everything needed to read it and to compute it again."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from medgemma_dash.core.answer import Answer, Token
from medgemma_dash.core.explanation import Explanation, Provenance
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.notices import notices
from medgemma_dash.core.radiograph import Window
from medgemma_dash.core.target import Target
from medgemma_dash.services.exporting.subject import film_names, rendered_prompt, target_words

if TYPE_CHECKING:
    from medgemma_dash.regions import ZoneTable

SCHEMA = "medgemma-dash/explanation"
SCHEMA_VERSION = 1


def explanation_json(
    explanation: Explanation,
    answer: Answer,
    zones: "ZoneTable | None" = None,
    *,
    films: Sequence[str] = (),
    shown_window: Window | None = None,
) -> str:
    """The explanation as strict JSON (numbers that are not finite become null).

    Numbers are written so that reading them as float32 gives the same bits. `row` has one
    value per position of the sequence, `layers` one per decoder layer. `map` and `zones` are of
    the current image; `maps` are of all, in order, and only there where there are several. So is
    a map's `fine` where the method saw patches, the target's `margin` where it is one, and what
    was `asked` where a contrast is with the first of several tokens: keys may be added within a
    version of the schema, none may change. docs/schemas has the schema.

    films: of `film_names`, by default of films that nobody uploaded. shown_window: in which the
    reader looked at the current film; `window` is the one that the model saw.
    """
    provenance = explanation.provenance
    document = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "notices": notices(provenance.is_demo),
        "method": explanation.method,
        "signed": explanation.signed,
        "target": _target(explanation.target),
        "map": _map(explanation.image, explanation.fine),
        "row": plain_numbers(explanation.row),
        "layers": plain_numbers(explanation.layers),
        "completeness_gap": _plain(explanation.completeness_gap),
        "zones": None if zones is None else _zones(zones),
        "answer": {
            "text": answer.text,
            "forced": answer.forced,
            "stopped": answer.stopped,
            "tokens": [_token(token) for token in answer.tokens],
            "fidelity": {
                "exact": answer.fidelity.exact,
                "mismatches": answer.fidelity.mismatches,
                "max_logit_difference": _plain(answer.fidelity.max_logit_difference),
            },
        },
        "question": provenance.prompt,
        "word": target_words(explanation),
        "rendered_prompt": rendered_prompt(answer),
        "films": _films(answer, films or film_names(answer), shown_window),
        "provenance": provenance_facts(provenance),
    }
    if len(explanation.images) > 1:
        fine = explanation.fine_images or (None,) * len(explanation.images)
        document["maps"] = [_map(*one) for one in zip(explanation.images, fine, strict=True)]
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)


def provenance_facts(provenance: Provenance) -> dict[str, object]:
    """The provenance as JSON knows it."""
    facts = provenance.facts()
    facts["model_name"] = public_model_name(provenance.model_name)
    facts["settings"] = dict(provenance.settings)
    facts["versions"] = dict(provenance.versions)
    facts["seconds"] = _plain(provenance.seconds)
    return facts


def plain_numbers(values: Iterable[np.floating]) -> list[float | None]:
    """Shortest decimals that give the same float32 again; None where not finite."""
    return [float(str(value)) if np.isfinite(value) else None for value in values]


def _films(answer: Answer, names: Sequence[str], shown: Window | None) -> list[dict[str, object]]:
    """Each film and its window; `shown_window` is the current one's, null of all others."""
    current = len(answer.images) - 1
    return [
        {
            "name": name,
            "sha256": image.radiograph.sha256,
            "width": image.radiograph.width,
            "height": image.radiograph.height,
            "patient_right": str(image.radiograph.laterality),
            "window": _window(image.radiograph.windows[0]),
            "shown_window": _window(shown) if shown is not None and place == current else None,
        }
        for place, (name, image) in enumerate(zip(names, answer.images, strict=True))
    ]


def _window(window: Window) -> dict[str, object]:
    return {
        "name": window.name,
        "centre": _plain(window.centre),
        "width": _plain(window.width),
        "exact": window.exact,
    }


def _target(target: Target) -> dict[str, object]:
    facts = asdict(target)
    if target.margin is None:
        del facts["margin"]
    if target.against is not None and not target.against.asked:
        del facts["against"]["asked"]
    return facts


def _map(
    image: Float[np.ndarray, "rows cols"], fine: Float[np.ndarray, "patch_rows patch_cols"] | None
) -> dict[str, object]:
    written: dict[str, object] = {
        "rows": image.shape[0],
        "columns": image.shape[1],
        "values": [plain_numbers(line) for line in image],
        "unit": "raw relevance, not normalised",
    }
    if fine is not None:
        written["fine"] = _map(fine, None)
    return written


def _token(token: Token) -> dict[str, object]:
    return {
        "index": token.index,
        "id": token.id,
        "text": token.text,
        "position": token.position,
        "probability": _plain(token.probability),
        "special": token.special,
        "runners_up": [asdict(candidate) for candidate in token.runners_up],
    }


def _zones(zones: "ZoneTable") -> dict[str, object]:
    return {
        "scheme": zones.scheme,
        "rows": [
            {
                "name": zone.name,
                "share": _plain(zone.share),
                "area": _plain(zone.area),
                "mean": _plain(zone.mean),
                "peak": _plain(zone.peak),
            }
            for zone in zones.rows
        ],
        "right_left_ratio": _plain(zones.right_left_ratio),
        "outside_share": _plain(zones.outside_share),
    }


def _plain(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else float(number)
