"""What an export is about, in the same words everywhere: film, question, word, method, model."""

from __future__ import annotations

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import MethodError
from medgemma_dash.core.explanation import Explanation, Provenance
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.radiograph import Radiograph, Window
from medgemma_dash.core.samples import shipped_film
from medgemma_dash.core.token_words import readable

DIGEST_SHOWN = 8


def film_name(radiograph: Radiograph, uploaded: bool = False) -> str:
    """A sample's title; of any other "Film, 2500 x 2048, sha256 50096f9c…", width by height.

    Never a file's name. uploaded: it came through the browser, and is called an uploaded film.
    """
    sample = shipped_film(radiograph.sha256)
    if sample is not None:
        return sample.title
    size = f"{radiograph.width} x {radiograph.height}"
    kind = "Uploaded film" if uploaded else "Film"
    return f"{kind}, {size}, sha256 {radiograph.sha256[:DIGEST_SHOWN]}…"


def film_names(answer: Answer, uploaded: bool = False) -> tuple[str, ...]:
    """Of every image, in order; uploaded: the current one."""
    current = len(answer.images) - 1
    return tuple(
        film_name(image.radiograph, uploaded and place == current)
        for place, image in enumerate(answer.images)
    )


def model_words(provenance: Provenance) -> str:
    """The model's name, never its folder's path, and its revision."""
    name = public_model_name(provenance.model_name)
    said = f"{name}, revision {provenance.model_revision}"
    return f"{said} (demo model, not MedGemma)" if provenance.is_demo else said


def method_title(method: str) -> str:
    """What a method is called for readers; its name where this version has no such method."""
    # Here, for the methods import torch, and a page is framed before it is there.
    from medgemma_dash.methods import get

    try:
        return get(method).spec.title
    except MethodError:
        return method


def method_words(provenance: Provenance) -> str:
    """The method and its settings, for readers."""
    options = (f"{name} = {value}" for name, value in provenance.settings)
    return ", ".join((method_title(provenance.method), *options))


def target_words(explanation: Explanation) -> str:
    """What is explained: a word, a contrast, a margin or the whole answer."""
    target = explanation.target
    if target.margin is not None:
        return f"{target.margin.yes_text} rather than {target.margin.no_text}"
    said = readable(target.text)
    if target.against is not None:
        return f"{said} rather than {readable(target.against.text)}"
    return said


def window_words(window: Window) -> str:
    """A window in one line, in the units of the file."""
    return f"{window.name}, centre {window.centre:g}, width {window.width:g}"


def subject(
    explanation: Explanation, films: tuple[str, ...], shown: str = ""
) -> tuple[tuple[str, str], ...]:
    """Pairs of what and its value, in the order in which a figure's caption has them.

    films: of `film_names`. shown: the window in which the current one was drawn.
    """
    name = "Film" if len(films) == 1 else "Films"
    return (
        (name, "; ".join(films)),
        *([("Window", shown)] if shown else []),
        ("Question", explanation.provenance.prompt),
        ("Word", target_words(explanation)),
        ("Method", method_words(explanation.provenance)),
        ("Model", model_words(explanation.provenance)),
    )


def rendered_prompt(answer: Answer) -> str:
    """The prompt as the chat template made it; each image's soft tokens are folded into
    "⟨256 image tokens⟩".
    """
    pieces = list(answer.piece_texts[: answer.prompt_length])
    several = len(answer.images) > 1
    for number, image in enumerate(answer.images, 1):
        start, stop = image.span
        of = f" of image {number}" if several else ""
        pieces[start] = f"⟨{stop - start} image tokens{of}⟩{pieces[start]}"
    return "".join(pieces)
