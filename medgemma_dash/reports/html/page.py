"""One explanation as a single HTML file that needs nothing but a browser."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.notices import notices
from medgemma_dash.reports.html.markup import isolated, number, percent, table, text
from medgemma_dash.services.exporting.tables import Word

if TYPE_CHECKING:
    from medgemma_dash.regions import ZoneTable

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ReportFigure:
    """A Plotly figure for the report.

    light, dark: `Figure.to_json()` for either theme; without `dark` it stands on white in both.
    """

    title: str
    caption: str
    light: str
    dark: str | None = None


def report_html(
    explanation: Explanation,
    answer: Answer,
    *,
    picture_png: bytes,
    figures: Sequence[ReportFigure] = (),
    zones: "ZoneTable | None" = None,
    zones_note: str = "",
    global_layers: Sequence[int] = (),
    words: Sequence[Word] = (),
) -> str:
    """The report: picture, answer, interactive figures, every number, and where it came from.

    picture_png: the radiograph with the map over it. global_layers: indices of the layers
    that attend without a window. The file holds its own scripts, allowed by their digests, and
    its Content-Security-Policy allows nothing else and no address.
    Raises ValueError for a figure that is not Plotly JSON or refers to an outside picture.
    """
    # Imported here: reading 5 MB of script must not delay the first page.
    from plotly.offline import get_plotlyjs

    stored = [_stored(place, figure) for place, figure in enumerate(figures)]
    scripts = [get_plotlyjs(), (FOLDER / "report.js").read_text("utf-8")] if figures else []
    title = f"Why “{explanation.target.text.strip()}”?"
    said = "".join(f'<p class="notice">{text(n)}</p>\n' for n in _notices(explanation))
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{text(title)}</title>",
        f"<style>{(FOLDER / 'report.css').read_text('utf-8')}</style>",
        "</head><body>",
        f"<header><h1>{isolated(title)}</h1>{said}</header><main>",
        _hero(explanation, answer, picture_png),
        *(_figure(place, figure) for place, figure in enumerate(figures)),
        '<div class="columns">',
        _zones(zones, zones_note),
        _words(words),
        _layers(explanation, global_layers),
        _runners_up(explanation, answer),
        "</div>",
        _provenance(explanation),
        f'</main><footer class="quiet">{text(" ".join(_notices(explanation)))}</footer>',
        *stored,
        *(f"<script>{script}</script>" for script in scripts),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _notices(explanation: Explanation) -> tuple[str, ...]:
    return notices(explanation.provenance.is_demo)


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


def _hero(explanation: Explanation, answer: Answer, picture_png: bytes) -> str:
    chosen = set(explanation.target.token_indices)
    tokens = []
    for token in answer.tokens:
        if token.special:
            tokens.append('<span class="control"> · end of answer</span>')
        elif token.index in chosen:
            word = token.text.lstrip()
            space = token.text[: len(token.text) - len(word)]
            tokens.append(f"{text(space)}<mark>{text(word)}</mark>")
        else:
            tokens.append(text(token.text))
    picture = base64.b64encode(picture_png).decode()
    against = explanation.target.against
    contrast = "" if against is None else f" rather than {isolated(against.text.strip())}"
    return (
        '<section class="hero"><figure>'
        f'<img alt="{text(_alt(explanation))}" src="data:image/png;base64,{picture}">'
        "</figure><div>"
        f'<p class="question">{isolated(answer.prompt)}</p>'
        f'<p class="answer" dir="auto">{"".join(tokens)}</p>'
        f'<p class="quiet">Marked: what is explained{contrast}, by the method '
        f"{text(explanation.method)}.{_forced(answer)} {text(_fidelity(answer))}</p>"
        "</div></section>"
    )


def _alt(explanation: Explanation) -> str:
    rows, cols = explanation.image.shape
    row, col = divmod(int(explanation.image.argmax()), cols)
    return (
        f"Radiograph with the relevance map over it; the highest of {rows} by {cols} cells is in "
        f"row {row + 1}, column {col + 1}, counted from the upper left."
    )


def _forced(answer: Answer) -> str:
    return " The answer was given, not generated." if answer.forced else ""


def _fidelity(answer: Answer) -> str:
    if answer.forced:
        return ""
    if answer.fidelity.exact:
        return "The replay that was explained gives the same answer."
    count = len(answer.fidelity.mismatches)
    return f"Caution: the replay that was explained differs from the answer in {count} tokens."


def _figure(place: int, figure: ReportFigure) -> str:
    kind = ' class="light-only"' if figure.dark is None else ""
    return (
        f"<section><h2>{text(figure.title)}</h2><figure{kind}>"
        f'<div class="plot" data-figure="figure-{place}"></div>'
        f'<figcaption class="quiet">{text(figure.caption)}</figcaption></figure></section>'
    )


def _stored(place: int, figure: ReportFigure) -> str:
    themes = {"light": figure.light} | ({} if figure.dark is None else {"dark": figure.dark})
    return "\n".join(
        f'<script type="application/json" id="figure-{place}-{theme}">{_inert(source)}</script>'
        for theme, source in themes.items()
    )


def _inert(source: str) -> str:
    """Plotly JSON that cannot end its script element and refers to nothing outside."""
    try:
        figure = json.loads(source)
        data, layout = figure["data"], figure["layout"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("A report's figure is Plotly JSON with data and layout.") from error
    for picture in layout.get("images") or ():
        if not str(picture.get("source", "")).startswith("data:image/"):
            raise ValueError("A report's pictures are data URIs: it must not call out.")
    written = json.dumps({"data": data, "layout": layout})  # ASCII only
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _zones(zones: "ZoneTable | None", note: str) -> str:
    if zones is None:
        return ""
    rows = [
        (text(zone.name), percent(zone.share), number(zone.mean), number(zone.peak))
        for zone in zones.rows
    ]
    rows.append(("Outside every zone", percent(zones.outside_share), "–", "–"))
    return (
        "<section><h2>Zones</h2>"
        + table("Raw relevance by zone", ("Zone", "Share", "Mean", "Peak"), rows)
        + f'<p class="quiet">Right / left: {number(zones.right_left_ratio)}. {text(note)}</p>'
        + "</section>"
    )


def _layers(explanation: Explanation, global_layers: Sequence[int]) -> str:
    everywhere = set(global_layers)
    rows = [
        (f"{layer}{' (global)' if layer in everywhere else ''}", percent(float(share)))
        for layer, share in enumerate(explanation.layers)
    ]
    caption = "Share of attention that the predicting position gives to the image"
    return f"<section><h2>Layers</h2>{table(caption, ('Layer', 'Share'), rows)}</section>"


def _words(words: Sequence[Word]) -> str:
    if not words:
        return ""
    rows = [(isolated(word.text), text(word.part), number(word.value)) for word in words]
    headings = ("Word", "Where", "Relevance")
    return f"<section><h2>Words</h2>{table('Raw relevance of words', headings, rows, 2)}</section>"


def _runners_up(explanation: Explanation, answer: Answer) -> str:
    if len(explanation.target.token_indices) != 1:
        return ""
    token = answer.tokens[explanation.target.token_indices[0]]
    rows = [(isolated(token.text), percent(token.probability))]
    rows += [(isolated(other.text), percent(other.probability)) for other in token.runners_up]
    caption = "What the model might have said here; the first is what it said"
    return (
        f"<section><h2>Probability</h2>{table(caption, ('Token', 'Probability'), rows)}</section>"
    )


def _provenance(explanation: Explanation) -> str:
    facts = explanation.provenance
    listed = {
        "Model": f"{public_model_name(facts.model_name)}, revision {facts.model_revision}",
        "Computed on": f"{facts.device}, {facts.dtype}, {facts.seconds:.2f} s",
        "Radiograph": f"sha256 {facts.image_sha256}",
        "Method": ", ".join((facts.method, *(f"{n} = {v}" for n, v in facts.settings))),
        "Question": facts.prompt,
        "Sequence": f"{len(facts.token_ids)} tokens, prompt {facts.prompt_length}, image at "
        f"{facts.image_span[0]} to {facts.image_span[1]}",
        "Token ids": " ".join(map(str, facts.token_ids)),
        "Versions": ", ".join(f"{name} {version}" for name, version in facts.versions),
    }
    rows = [(text(name), isolated(value)) for name, value in listed.items()]
    caption = "Everything needed to compute it again"
    return f"<section><h2>Provenance</h2>{table(caption, ('What', 'Value'), rows, 2)}</section>"
