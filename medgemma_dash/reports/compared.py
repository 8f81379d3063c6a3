"""Several maps' numbers as one CSV table, a line a map, each saying what it is of."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.notices import notices
from medgemma_dash.services.explaining.map_numbers import MapNumbers
from medgemma_dash.services.exporting.subject import target_words
from medgemma_dash.services.exporting.tables import safe_text

QUADRANTS = ("upper_left", "upper_right", "lower_left", "lower_right")


@dataclass(frozen=True)
class ComparedMap:
    """title: what the map is called on the page. film: of `film_name`, its own."""

    title: str
    film: str
    numbers: MapNumbers


def compared_csv(maps: Sequence[ComparedMap]) -> str:
    """One line a map: what it is of, then every number, raw.

    Columns: map, film, image_sha256, question, word, method, settings, model, model_revision,
    seconds, the fields of `MapQuality` (shares 0 to 1, entropy in nats, quadrants by name),
    positive_share, best_zone ("none" where the map is in no one zone; empty on a film without
    zones), a share for each zone, outside_zones, right_left_ratio, notice. Numbers that are not
    defined, and zones that a film does not have, are left empty. Texts cannot become formulas.
    """
    lines = [dict(_line(one)) for one in maps]
    columns = list(dict.fromkeys(name for line in lines for name in line if name != "notice"))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [*columns, "notice"], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return buffer.getvalue()


def _line(one: ComparedMap) -> Iterator[tuple[str, str]]:
    numbers, explanation = one.numbers, one.numbers.explanation
    provenance = explanation.provenance
    texts = {
        "map": one.title,
        "film": one.film,
        "image_sha256": provenance.image_sha256,
        "question": provenance.prompt,
        "word": target_words(explanation),
        "method": explanation.method,
        "settings": "; ".join(f"{name}: {value}" for name, value in provenance.settings),
        "model": public_model_name(provenance.model_name),
        "model_revision": provenance.model_revision,
    }
    yield from ((name, safe_text(text)) for name, text in texts.items())
    yield "seconds", _written(provenance.seconds)
    for field in fields(numbers.quality):
        value = getattr(numbers.quality, field.name)
        if field.name == "quadrants":
            yield from ((name, _written(part)) for name, part in zip(QUADRANTS, value, strict=True))
        else:
            yield field.name, _written(value)
    yield "positive_share", _written(numbers.positive_share)
    zones, zone = numbers.zones, numbers.zone
    yield "best_zone", (safe_text(zone.name) if zone else "none") if zones.rows else ""
    for row in zones.rows:
        yield f"{row.name.lower().replace(' ', '_')}_share", _written(row.share)
    if zones.rows:
        yield "outside_zones", _written(zones.outside_share)
        yield "right_left_ratio", _written(zones.right_left_ratio)
    yield "notice", " ".join(notices(provenance.is_demo))


def _written(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else str(float(value))
