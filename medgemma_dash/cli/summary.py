"""An explanation in a few lines for the terminal, each in a part that is known on its own."""

from collections.abc import Iterator

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.notices import notices
from medgemma_dash.core.numbers import number
from medgemma_dash.core.record import Record
from medgemma_dash.core.token_words import readable, token_name
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.regions import ZoneTable
from medgemma_dash.services.evidence.reading import every_word, probability
from medgemma_dash.services.explaining.headline import Strength, headline
from medgemma_dash.services.explaining.prompt_words import prompt_words
from medgemma_dash.services.exporting.subject import method_title
from medgemma_dash.services.faithfulness.reading import (
    agreement_line,
    dependence_lines,
    sanity_lines,
    verdicts_of,
)


def asking(model: VisionLanguageModel, question: str) -> Iterator[str]:
    """What is asked of which model; said before the answer is there."""
    yield from notices(model.is_demo)[1:]
    yield f"Model     {model.name}, revision {model.revision}"
    yield f"Question  {printable(question)}"


def answered(answer: Answer) -> Iterator[str]:
    """The answer with its token numbers; said before it is explained."""
    yield f"Answer    {printable(answer.text)}"
    said = [token.index for token in answer.tokens if not token.special]
    yield f"Tokens    {'  '.join(f'{i}:{printable(token_name(answer, i))}' for i in said)}"


def explained(
    answer: Answer, explanation: Explanation, zones: ZoneTable, strength: Strength | None
) -> Iterator[str]:
    """The target, what its map says, zones, prompt words and fidelity."""
    yield f"Explained {_target(answer, explanation)}"
    against = explanation.target.against
    if against is not None and against.notice:
        yield f"Note      {printable(against.notice)}"
    said = headline(explanation, zones, strength).text
    if said:
        yield f"Map       {said}"
    if zones.rows:
        yield ""
        yield f"{'Zone':16}{'share':>8}{'of area':>9}{'mean':>12}{'peak':>12}"
        for row in zones.rows:
            yield (
                f"{row.name:16}{row.share:8.1%}{row.density:8.1f}x{number(row.mean):>12}{number(row.peak):>12}"
            )
        yield f"{'outside':16}{zones.outside_share:8.1%}"
    if zones.right_left_ratio is not None:
        yield f"right / left  {zones.right_left_ratio:.2f}"
    words = prompt_words(explanation, answer)
    if words:
        yield ""
        yield "Words that mattered most (raw relevance)"
        yield from (f"  {printable(word.text):24}{number(word.value):>12}" for word in words)
    yield ""
    yield f"Replay    {_fidelity(answer)}"
    yield f"Seconds   {answer.seconds:.1f} answer, {explanation.provenance.seconds:.2f} explanation"


def weighed(record: Record) -> Iterator[str]:
    """What each word of an evidence record owes to the image: probabilities, and its mark."""
    yield ""
    yield f"{'Word':20}{'image':>9}{'blank':>9}{'swapped':>9}{'none':>9}  probability"
    for word in every_word(record):
        given = (word.given, word.blank, word.swapped, word.no_image)
        numbers = "".join(f"{probability(nats):>9}" for nats in given)
        yield f"{printable(readable(word.text)):20}{numbers}  {word.mark}"
    whole = record.tables["answer"].iloc[0]
    yield ""
    yield (
        f"Mean image effect of {whole['content_words']} content words: "
        f"{whole['mean_image_effect']:.2f} nats"
    )


def tested(record: Record) -> Iterator[str]:
    """What a faithfulness record says: image dependence, verdicts, checks."""
    yield ""
    yield f"Tested    {printable(record.plan['target']['text'].strip())!r}"
    yield from dependence_lines(record)
    yield from (printable(one.text) for one in verdicts_of(record))
    if agreement := agreement_line(record):
        yield agreement
    yield from sanity_lines(record)


def printable(text: str) -> str:
    """Text from a person or a model without what a terminal would act on."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _target(answer: Answer, explanation: Explanation) -> str:
    target = explanation.target
    method = method_title(explanation.method)
    text = f"{printable(readable(target.text))!r}, {target.kind} by {method}"
    if len(target.token_indices) == 1 and target.margin is None:
        text += f", probability {answer.tokens[target.token_indices[0]].probability:.1%}"
    if target.against:
        text += f", rather than {printable(readable(target.against.text))!r}"
    return text


def _fidelity(answer: Answer) -> str:
    fidelity = answer.fidelity
    if fidelity.max_logit_difference is None:
        return "the answer was given, not generated"
    text = f"largest logit difference {fidelity.max_logit_difference:.1e}"
    if fidelity.exact:
        return f"exact, {text}"
    return f"MISMATCH at tokens {', '.join(map(str, fidelity.mismatches))}; {text}"
