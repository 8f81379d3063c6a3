"""How often the demo model is right on radiographs that it was not trained on.

`python -m medgemma_dash.demo.evaluation assets/demo-model --pictures 200` prints the table and
writes it into the model card.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
)

from medgemma_dash.demo.dialogues import KnownFinding, answer_to
from medgemma_dash.demo.findings import ZONES
from medgemma_dash.demo.model_card import replace_section
from medgemma_dash.demo.questions import (
    FINDINGS,
    Phrasing,
    Question,
    describe_question,
    presence_question,
)
from medgemma_dash.demo.radiographs import (
    FIRST_EVALUATION_SEED,
    SyntheticRadiograph,
    synthesize,
)

_BATCH = 16
_PRESENCE_PHRASINGS: tuple[Phrasing, ...] = ("technical", "plain", "terse", "reworded")


@dataclass
class Count:
    """How many of how many."""

    right: int = 0
    total: int = 0

    def add(self, is_right: bool) -> None:
        """Count one more."""
        self.right += int(is_right)
        self.total += 1

    def __str__(self) -> str:
        if not self.total:
            return "-"
        return f"{100 * self.right / self.total:.1f}% ({self.right}/{self.total})"


@dataclass(frozen=True)
class Scores:
    """Counts by (phrasing, what)."""

    pictures: int
    counts: dict[tuple[str, str], Count] = field(default_factory=lambda: defaultdict(Count))

    _COLUMNS = ("there: yes", "not there: no", "yes/no", "side", "zone", "whole answer")

    def as_table(self) -> str:
        """Return a Markdown table, a row per phrasing."""
        head = "| phrasing | " + " | ".join(self._COLUMNS) + " |"
        lines = [head, "|" + "---|" * (len(self._COLUMNS) + 1)]
        for phrasing in (*_PRESENCE_PHRASINGS, "describe"):
            cells = [str(self.counts[phrasing, column]) for column in self._COLUMNS]
            lines.append(f"| {phrasing} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


@dataclass(frozen=True)
class _Case:
    radiograph: SyntheticRadiograph
    question: Question
    phrasing: str


def evaluate(
    model: Gemma3ForConditionalGeneration,
    processor: Gemma3Processor,
    pictures: int = 200,
    first_seed: int = FIRST_EVALUATION_SEED,
) -> Scores:
    """Ask about `pictures` unseen radiographs; every finding there, and one that is not.

    Refuses training seeds.
    """
    if first_seed < FIRST_EVALUATION_SEED:
        raise ValueError(
            f"seed {first_seed} may have been trained on; evaluate from {FIRST_EVALUATION_SEED}"
        )
    cases: list[_Case] = []
    for seed in range(first_seed, first_seed + pictures):
        radiograph = synthesize(seed)
        generator = np.random.default_rng([seed, 1])
        present = [finding.name for finding in radiograph.findings]
        absent = [name for name in FINDINGS if name not in present]
        asked = [*present, absent[int(generator.integers(len(absent)))]]
        for phrasing in _PRESENCE_PHRASINGS:
            cases += [
                _Case(radiograph, presence_question(name, phrasing, generator), phrasing)
                for name in asked
            ]
        cases.append(_Case(radiograph, describe_question(generator), "describe"))
    scores = Scores(pictures)
    answers = generate_answers(
        model, processor, [(case.radiograph, case.question.text) for case in cases]
    )
    for case, answer in zip(cases, answers, strict=True):
        if case.phrasing == "describe":
            _score_description(scores, case, answer)
        else:
            _score_presence(scores, case, answer)
    return scores


def generate_answers(
    model: Gemma3ForConditionalGeneration,
    processor: Gemma3Processor,
    asked: Sequence[tuple[SyntheticRadiograph, str]],
) -> list[str]:
    """Answer greedily. Prompts of one length are batched, so that none needs padding."""
    inputs = [_prompt(processor, radiograph, text) for radiograph, text in asked]
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, prompt in enumerate(inputs):
        by_length[prompt["input_ids"].shape[1]].append(index)
    answers = [""] * len(asked)
    for length, indices in by_length.items():
        for start in range(0, len(indices), _BATCH):
            chosen = indices[start : start + _BATCH]
            batch = {
                name: torch.cat([inputs[index][name] for index in chosen])
                for name in inputs[chosen[0]]
            }
            with torch.inference_mode():
                ids = model.generate(**batch, do_sample=False, max_new_tokens=64)
            texts = processor.batch_decode(ids[:, length:], skip_special_tokens=True)
            for index, text in zip(chosen, texts, strict=True):
                answers[index] = text
    return answers


def _prompt(
    processor: Gemma3Processor, radiograph: SyntheticRadiograph, text: str
) -> dict[str, torch.Tensor]:
    image = Image.fromarray(radiograph.pixels).convert("RGB")
    content = [{"type": "image", "image": image}, {"type": "text", "text": text}]
    inputs = processor.apply_chat_template(
        [{"role": "user", "content": content}],
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        add_generation_prompt=True,
    )
    return dict(inputs)


def _score_presence(scores: Scores, case: _Case, answer: str) -> None:
    found = next(
        (one for one in case.radiograph.findings if one.name == case.question.finding), None
    )
    says_yes = re.match(r"yes\b", answer, re.IGNORECASE) is not None
    says_no = re.match(r"no\b", answer, re.IGNORECASE) is not None
    is_right = says_yes if found else says_no
    scores.counts[case.phrasing, "there: yes" if found else "not there: no"].add(is_right)
    scores.counts[case.phrasing, "yes/no"].add(is_right)
    expected = answer_to(case.question, case.radiograph).answer
    scores.counts[case.phrasing, "whole answer"].add(answer == expected)
    if found and says_yes:
        _score_place(scores, case.phrasing, found, answer)


def _score_description(scores: Scores, case: _Case, answer: str) -> None:
    sentences = answer.split(".")
    for name in FINDINGS:
        found = next((one for one in case.radiograph.findings if one.name == name), None)
        said = next((sentence for sentence in sentences if name in sentence), None)
        scores.counts["describe", "there: yes" if found else "not there: no"].add(
            (said is not None) == (found is not None)
        )
        scores.counts["describe", "yes/no"].add((said is not None) == (found is not None))
        if found and said:
            _score_place(scores, "describe", found, said)
    expected = answer_to(case.question, case.radiograph).answer
    scores.counts["describe", "whole answer"].add(answer == expected)


def _score_place(scores: Scores, phrasing: str, found: KnownFinding, said: str) -> None:
    if not found.side:
        return
    words = set(re.findall(r"[a-z]+", said.lower()))
    scores.counts[phrasing, "side"].add(words & {"right", "left"} == {found.side})
    scores.counts[phrasing, "zone"].add(words & set(ZONES) == {found.zone})


def write_scores(folder: Path, scores: Scores) -> None:
    """Put the table into the folder's model card."""
    last = FIRST_EVALUATION_SEED + scores.pictures - 1
    text = (
        f"On {scores.pictures} unseen radiographs (seeds {FIRST_EVALUATION_SEED} to {last}), "
        "greedy decoding. Each is asked about every finding that is there and about one that is "
        "not. Side and zone are counted for lesions that the answer says are there. For "
        '"describe", every finding counts as said or not said.\n\n' + scores.as_table()
    )
    replace_section(folder / "README.md", "scores", text)


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate a checkpoint folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=FIRST_EVALUATION_SEED)
    parser.add_argument("--keep-card", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    processor = AutoProcessor.from_pretrained(options.folder)
    model = AutoModelForImageTextToText.from_pretrained(options.folder).eval()
    scores = evaluate(model, processor, options.pictures, options.first_seed)
    sys.stdout.write(f"{scores.as_table()}\n")
    if not options.keep_card:
        write_scores(options.folder, scores)


if __name__ == "__main__":
    main()
