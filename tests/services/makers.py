"""Small radiographs, answers and explanations for tests of the services; no model is needed."""

import hashlib
from collections.abc import Generator
from dataclasses import replace

import numpy as np

from medgemma_dash.core.answer import Answer, AnswerImage, Candidate, Fidelity, Token
from medgemma_dash.core.explanation import EarlierImage, Explanation, Provenance
from medgemma_dash.core.radiograph import Laterality, Radiograph, Window
from medgemma_dash.core.target import Against, Target, TargetKind
from medgemma_dash.regions import ZoneRow, ZoneTable

GRID = (2, 3)
IMAGE_SPAN = (1, 7)
PROMPT_LENGTH = 9
LAYERS = 4
ZONES = ZoneTable(
    (ZoneRow("Right upper", 0.25, 0.01, 0.5), ZoneRow("Left lower", 0.5, -0.02, 0.75)), None, 0.25
)


def make_radiograph(shade: int = 80) -> Radiograph:
    pixels = np.full((20, 30, 3), shade, np.uint8)
    return Radiograph(
        pixels=pixels,
        sha256=hashlib.sha256(pixels.tobytes()).hexdigest(),
        spacing_mm=None,
        laterality=Laterality("left", "assumed"),
        intensities=np.full((20, 30), shade, np.float32),
        windows=(Window("all", 128.0, 256.0),),
        tags=(("Manufacturer", "secret maker"),),
    )


def make_answer(
    texts: tuple[str, ...] = ("Yes", ",", " left", "."),
    prompt: str = "Fluid?",
    radiograph: Radiograph | None = None,
    model_name: str = "demo",
) -> Answer:
    said = [
        Token(
            index=index,
            id=40 + index,
            text=text,
            position=PROMPT_LENGTH + index,
            probability=0.9,
            special=False,
            runners_up=(Candidate(7, "No", 0.05),),
        )
        for index, text in enumerate(texts)
    ]
    end = Token(len(texts), 1, "", PROMPT_LENGTH + len(texts), 0.99, True)
    tokens = (*said, end)
    pieces = ("<bos>", *[""] * 6, prompt, "\n", *texts, "<end_of_turn>")
    return Answer(
        text="".join(texts),
        tokens=tokens,
        input_ids=np.arange(len(pieces), dtype=np.int64),
        prompt=prompt,
        fidelity=Fidelity(True, (), 1e-6),
        images=(AnswerImage(radiograph or make_radiograph(), IMAGE_SPAN, GRID),),
        piece_texts=pieces,
        model_name=model_name,
        model_revision="abc123",
        is_demo=True,
        forced=False,
        stopped="end of turn",
        seconds=0.5,
    )


def make_answer_of_two(prompt: str = "Fluid?") -> Answer:
    """About a prior radiograph and a current one, with a line of text between them."""
    one, cells = make_answer(prompt=prompt), GRID[0] * GRID[1]
    behind = cells + 1
    prior = AnswerImage(make_radiograph(120), IMAGE_SPAN, GRID)
    start = IMAGE_SPAN[1] + 1
    pieces = (*one.piece_texts[: IMAGE_SPAN[1]], " between ", *[""] * cells)
    pieces += one.piece_texts[IMAGE_SPAN[1] :]
    return replace(
        one,
        tokens=tuple(replace(token, position=token.position + behind) for token in one.tokens),
        input_ids=np.arange(len(pieces), dtype=np.int64),
        images=(prior, AnswerImage(one.radiograph, (start, start + cells), GRID)),
        piece_texts=pieces,
    )


def make_target(
    answer: Answer, *indices: int, kind: TargetKind | None = None, against: Against | None = None
) -> Target:
    text = "".join(answer.tokens[index].text for index in indices)
    return Target(kind or ("token" if len(indices) == 1 else "span"), indices, text, against)


def make_provenance(answer: Answer, method: str = "chefer") -> Provenance:
    return Provenance(
        model_name=answer.model_name,
        model_revision=answer.model_revision,
        is_demo=answer.is_demo,
        device="cpu",
        dtype="float32",
        image_sha256=answer.radiograph.sha256,
        prompt=answer.prompt,
        token_ids=tuple(answer.input_ids.tolist()),
        prompt_length=answer.prompt_length,
        image_span=answer.image_span,
        method=method,
        settings=(("heads", "mean"),),
        versions=(("torch", "2"),),
        seconds=0.25,
        earlier_images=tuple(
            EarlierImage(image.radiograph.sha256, image.span, image.grid)
            for image in answer.images[:-1]
        ),
    )


def make_explanation(
    answer: Answer, target: Target, method: str = "chefer", seed: int = 0
) -> Explanation:
    random = np.random.default_rng([seed, *target.token_indices])
    row = random.random(len(answer.input_ids), np.float32)
    row[answer.prompt_length + target.token_indices[-1] - 1 :] = 0
    return Explanation(
        images=tuple(row[slice(*image.span)].reshape(image.grid).copy() for image in answer.images),
        row=row,
        layers=random.random(LAYERS, np.float32),
        method=method,
        target=target,
        signed=False,
        provenance=make_provenance(answer, method),
    )


def same_explanation(one: Explanation, other: Explanation) -> None:
    """Assert that two explanations are equal, arrays to the bit, their seconds too."""
    for name in ("images", "fine_images"):
        for first, second in zip(getattr(one, name), getattr(other, name), strict=True):
            np.testing.assert_array_equal(first, second)
    for name in ("row", "layers"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in ("target", "method", "signed", "completeness_gap", "provenance"):
        assert getattr(one, name) == getattr(other, name), name


class NobodyWaits:
    """What work in steps is told when nobody cancels and nobody looks."""

    def check(self) -> None:
        """Go on."""

    def progress(self, done: int, total: int) -> None:
        """Nobody looks."""

    def note(self, words: str) -> None:
        """Nobody reads."""

    def emit(self, value: object) -> None:
        """Nobody listens."""


def finished(steps: Generator[None, None, Explanation]) -> Explanation:
    """What all steps come to."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            explanation: Explanation = end.value
            return explanation
