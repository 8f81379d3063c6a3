"""A report as a single HTML file that needs nothing but a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from medgemma_dash.reports.report import Cell, Figure, Report

if TYPE_CHECKING:
    from jinja2 import Environment

# Characters without a glyph: they could hide or reorder what stands beside them.
INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
NOTHING = "–"


def html_page(report: Report) -> str:
    """Lay a report out: picture, answer, interactive figures, every number, where it came from.

    The file holds its own scripts, allowed by their digests, and its Content-Security-Policy
    allows nothing else and no address. It follows the reader's light or dark theme.
    Raises ValueError for a figure that is not Plotly JSON or refers to an outside picture.
    """
    # Imported here: reading 5 MB of script must not delay the first page.
    from markupsafe import Markup

    scripts = _scripts() if report.figures else ()
    styles = ("report.css", "several.css") if len(report.pictures) > 1 else ("report.css",)
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            pictures=[
                {
                    "data": base64.b64encode(picture.png).decode(),
                    "words": picture.words,
                    "caption": picture.caption,
                }
                for picture in report.pictures
            ],
            figures=[_drawn(figure) for figure in report.figures],
            policy=_policy(scripts),
            # Our own files, and the only texts that are not escaped.
            style=Markup("".join(map(_source, styles))),  # noqa: S704
            scripts=[Markup(script) for script in scripts],  # noqa: S704
        )
    )


@cache
def _environment() -> Environment:
    """Templates in which every text is text: nothing is markup unless it says so."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("medgemma_dash.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(visible=visible, cell=cell)
    return environment


def visible(text: str) -> str:
    """The text with invisible and direction-changing characters written as codes."""
    return INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def cell(value: Cell, kind: str) -> str:
    """A cell as text: four significant digits, a percentage, or a dash where nothing is known."""
    if isinstance(value, str):
        return visible(value)
    if value is None or not math.isfinite(value):
        return NOTHING
    if kind != "share":
        return f"{value:.4g}"
    return "< 0.1%" if 0 < value < 0.0005 else f"{100 * value:.1f}%"


def _source(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None  # noqa: S101 - it was made with one
    return environment.loader.get_source(environment, name)[0]


@cache
def _scripts() -> tuple[str, ...]:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs(), _source("report.js")


def _policy(scripts: Sequence[str]) -> str:
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    # Plotly sets styles from its script; pictures are inside the file, saved ones are blobs.
    return (
        f"default-src 'none'; script-src {digests or chr(39) + 'none' + chr(39)}; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _drawn(figure: Figure) -> dict[str, Any]:
    themes = {"light": figure.light} | ({} if figure.dark is None else {"dark": figure.dark})
    return {
        "title": figure.title,
        "caption": figure.caption,
        "themes": {theme: _inside(source) for theme, source in themes.items()},
    }


def _inside(source: str) -> dict[str, Any]:
    """Plotly JSON, read, that refers to nothing outside of the file."""
    try:
        figure = json.loads(source)
        data, layout = figure["data"], figure["layout"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("A report's figure is Plotly JSON with data and layout.") from error
    for picture in layout.get("images") or ():
        if not str(picture.get("source", "")).startswith("data:image/"):
            raise ValueError("A report's pictures are data URIs: it must not call out.")
    return {"data": data, "layout": layout}
