"""What each step and each mistake says, in sentences written from the numbers.

They quote tokens as the model has them: where they are shown, they are text and never markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medgemma_dash.core.numbers import equals, number, share_percent
from medgemma_dash.core.token_words import readable, token_name
from medgemma_dash.metrics.agreement_square import telling_decimals

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.metrics.agreement_controls import JudgedAgreement
    from medgemma_dash.services.pipeline.view import Mistake, MistakeName, PipelineView

STEPS = (
    "Input",
    "Generation",
    "Replay",
    "Target",
    "Attention and gradient",
    "Row r, layer by layer",
    "Map",
)
TITLES: dict[MistakeName, str] = {
    "doubled_bos": "Doubled BOS, span not moved",
    "causal_images": "Image tokens made causal",
    "last_position": "Argmax of the last position",
    "row_p": "Position p in place of p-1",
}
# The mistake that is made at each step; at the last, all of them.
MADE_AT: tuple[MistakeName | None, ...] = (
    "doubled_bos",
    "causal_images",
    "causal_images",
    "last_position",
    "row_p",
    "row_p",
    None,
)
DECIMALS = 3  # of what is beside its controls: a mistake's map may be this near to the right one
_CELLS_COUNTED = "counted from 0"


def step_sentence(step: int, answer: Answer, view: PipelineView, layer: int, head: int) -> str:
    """What step 0 to 6 found. layer, head: those that are looked at in steps 4 and 5."""
    said = (_input, _generation, _replay, _target)
    if step < len(said):
        return said[step](answer, view)
    if step == 4:
        return _attention(view, layer, head)
    return _row(view, layer) if step == 5 else _map(answer, view)


def mistake_sentence(mistake: Mistake, answer: Answer, view: PipelineView) -> str:
    """What the mistake is, and what it changed on the way."""
    said = {
        "doubled_bos": _doubled_bos,
        "causal_images": _causal_images,
        "last_position": _last_position,
        "row_p": _row_p,
    }
    return said[mistake.name](mistake, answer, view)


def distance_sentence(mistake: Mistake) -> str:
    """How far its map is from the right one, beside what displaced maps give."""
    divergence, overlap = mistake.divergence, mistake.overlap
    if not mistake.image_map.any():
        return "Its map is empty."
    return (
        f"Its map against the right one: Jensen-Shannon {beside(divergence)}, "
        f"{divergence.verdict}; top 20% of cells {beside(overlap)}, {overlap.verdict}."
    )


def beside(judged: JudgedAgreement) -> str:
    """A number, and in brackets what it is held against: the control that it fails at, and the
    band of displaced maps.
    """
    if not np.isfinite(judged.value):
        return "not defined"
    control = judged.failed_at
    digits = telling_decimals(judged.value, (judged.low, judged.high), DECIMALS)
    low, high = (f"{one:.{digits}f}" for one in (judged.low, judged.high))
    held = "" if control is None else f"{control[0]} {control[1]:.{digits}f}, "
    return f"{judged.value:.{digits}f} ({held}displaced {low} to {high})"


def _input(answer: Answer, view: PipelineView) -> str:
    spans = ", then ".join(f"{start} to {stop - 1}" for start, stop in answer.image_spans)
    soft = sum(stop - start for start, stop in answer.image_spans)
    images = "the image" if len(answer.images) == 1 else f"{len(answer.images)} images"
    return (
        f"The model is given {answer.prompt_length} positions, of which {soft} are {images} "
        f"({spans}), and adds {len(answer.tokens)} of its own, from {answer.prompt_length} on. "
        "It begins with one BOS."
    )


def _generation(answer: Answer, view: PipelineView) -> str:
    token = answer.tokens[view.token]
    if answer.forced:
        return (
            "This answer was given and not generated; the model would have said "
            f"{_name(answer, view)} with {_p(token.probability)}."
        )
    beside = ""
    if token.runners_up:
        second = token.runners_up[0]
        beside = f"; next came “{_told(second.text)}” with {_p(second.probability)}"
    return (
        f"The most probable token is said, one after the other: {_name(answer, view)}, the "
        f"{_ordinal(view.token + 1)} of {len(answer.tokens)}, with {_p(token.probability)}"
        f"{beside}."
    )


def _replay(answer: Answer, view: PipelineView) -> str:
    fidelity, count = answer.fidelity, len(answer.tokens)
    right = count - len(fidelity.mismatches)
    least = fidelity.max_logit_difference
    if least is None:
        return (
            f"One pass over prompt and answer: of the {count} tokens given, {right} are what the "
            "model would say there itself. Nothing was generated that it could be held against."
        )
    proof = (
        "so the function that is explained is the one that answered"
        if fidelity.exact
        else "so what is explained may be another function than the one that answered"
    )
    return (
        f"One pass over prompt and answer gives {right} of {count} tokens again as the most "
        f"probable, and no logit differs from generation by more than {number(least)}: {proof}."
    )


def _target(answer: Answer, view: PipelineView) -> str:
    p = view.position
    what = f"the logit of {_name(answer, view)}"
    if view.target.against is not None:
        what += f" less that of “{_told(view.target.against.text)}”"
    if view.target.margin is not None:
        what = f"the margin, {view.target.margin.yes_text} less {view.target.margin.no_text}"
    return (
        f"What is explained is one number, z = {number(view.logit)}: {what}, which stands at "
        f"p = {p}. It was chosen at p-1 = {p - 1}, where the model had read up to "
        f"“{_told(answer.piece_texts[p - 1])}”."
    )


def _attention(view: PipelineView, layer: int, head: int) -> str:
    on_image = float(view.layers.image_shares[layer, head])
    gradient = view.head_row(view.gradient, layer, head)
    return (
        f"Layer {layer}, head {head}, row p-1: {share_percent(on_image)} of its attention A goes "
        f"to the image. The gradient of z by it is positive in "
        f"{share_percent(float((gradient > 0).mean()))} of the cells, and what is left of the "
        "product is "
        f"{share_percent(float(view.layers.weighted_shares[layer, head]))} of all attention that "
        "moved z."
    )


def _row(view: PipelineView, layer: int) -> str:
    shares, layers = view.image_shares_after, len(view.layers.is_global)
    added = float(view.added_map(layer).sum())
    whole = float(view.image_map.sum()) or 1.0
    folded = layers - layer
    return (
        f"With {folded} of {layers} layers folded in, down to layer {layer}, "
        f"{share_percent(shares[layer])} of r lies on the image. This layer brought "
        f"{share_percent(added / whole)} of the image's final relevance."
    )


def _map(answer: Answer, view: PipelineView) -> str:
    image_map = view.image_map
    row, col = divmod(int(np.argmax(image_map)), image_map.shape[1])
    start, stop = answer.image_span
    of_word = ""
    if view.word is not None:
        count = len(view.word.target.token_indices)
        of_word = f" The map of all that is chosen is the mean of its {count} tokens' maps."
    return (
        f"R's row p-1, read at {start} to {stop - 1} and laid over the picture: "
        f"{share_percent(view.image_share)} of the relevance is on the image, highest in row "
        f"{row}, column {col} ({_CELLS_COUNTED}).{of_word}"
    )


def _doubled_bos(mistake: Mistake, answer: Answer, view: PipelineView) -> str:
    start, stop = mistake.span
    p = "" if mistake.replayed is None else _p(float(mistake.replayed.probabilities[view.token]))
    anew = "" if mistake.found_anew is None else number(mistake.found_anew)
    changed = () if mistake.replayed is None else mistake.replayed.mismatches
    minds = f"would say {len(changed)} tokens otherwise" if changed else "hardly minds"
    return (
        "The template's text goes through the tokenizer again and begins twice. The image then "
        f"stands at {start + 1} to {stop} and is read at {start} to {stop - 1}: every cell is one "
        f"place off. The model {minds} ({p} for {_name(answer, view)}); with the span found "
        f"anew the divergence would be {anew}."
    )


def _causal_images(mistake: Mistake, answer: Answer, view: PipelineView) -> str:
    replayed = mistake.replayed
    if replayed is None:
        raise ValueError("This mistake is made in the replay.")
    said = (
        "Without token_type_ids an image token sees only those before it: another model than the "
        f"one that answered. Its logits differ by up to {number(float(replayed.differences.max()))}"
    )
    p = _p(float(replayed.probabilities[view.token]))
    if not replayed.mismatches:
        return (
            f"{said}, {_name(answer, view)} has {p} in it, and all {len(answer.tokens)} tokens "
            "are still its choice: no mismatch would tell."
        )
    first = replayed.mismatches[0]
    return (
        f"{said}, and {_name(answer, view)} has {p} in it. It would part from this answer at "
        f"token {first}: “{_told(replayed.instead[first])}” in place of "
        f"“{_told(answer.tokens[first].text) or token_name(answer, first)}”."
    )


def _last_position(mistake: Mistake, answer: Answer, view: PipelineView) -> str:
    return (
        f"What is differentiated is the most probable token after the whole answer, "
        f"“{_told(mistake.explained.text)}”, at {mistake.read_row}, in place of "
        f"{_name(answer, view)}: the same map, whichever word was clicked."
    )


def _row_p(mistake: Mistake, answer: Answer, view: PipelineView) -> str:
    return (
        f"At p = {mistake.read_row} the token has been read already; the logits there choose what "
        f"comes after it. The logit of {_name(answer, view)} there is "
        f"{number(mistake.explained.logit)}, not {number(view.candidates[0].logit)}: as if it were "
        "to be said twice. With the right logit, row p is empty, for nothing at p can move what "
        "was chosen before it."
    )


def _name(answer: Answer, view: PipelineView) -> str:
    return f"“{token_name(answer, view.token)}”"


def _told(text: str) -> str:
    return readable(text, in_prompt=True)


def _p(probability: float) -> str:
    if probability < 0.005:
        return "p < 0.01"
    return f"p {equals('> 0.99' if probability > 0.995 else f'{probability:.2f}')}"


def _ordinal(count: int) -> str:
    ending = (
        "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    )
    return f"{count}{ending}"
