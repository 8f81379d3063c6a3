"""An evidence record as a report."""

from medgemma_dash.core.notices import notices
from medgemma_dash.core.record import Record
from medgemma_dash.figures import image_effect_figure
from medgemma_dash.reports.records.common import model_words, provenance_of, table_of
from medgemma_dash.reports.report import Column, Figure, Report, Run
from medgemma_dash.services.evidence.plan import LANGUAGE_PRIOR, NEEDS_IMAGE
from medgemma_dash.services.evidence.reading import WordEvidence, every_word, marked_words

LIMITS = (
    "That a word needs the image does not say that it is right, nor which part of the image it "
    "needs. The answer is held as it stands: without the image the model might have said something "
    "else altogether. A blank image and another patient's are inputs that the model may never have "
    "seen so, and a word may follow from words before it that needed the image themselves."
)
NATS = [
    ("log_probability", Column("With the image", "number")),
    ("blank", Column("Blank", "number")),
    ("swapped", Column("Swapped", "number")),
    ("no_image", Column("No image", "number")),
    ("image_effect", Column("Image effect", "number")),
    ("layers_with_access", Column("Layers that see it", "number")),
]


def evidence_report(record: Record) -> Report:
    """How much each word owes to the image: sentence, bars, every number, what it does not show."""
    words, asked = every_word(record), record.plan["asked"]
    figures = [_figure(words, dark) for dark in (False, True)] if words else []
    return Report(
        title="Did the words need the image?",
        notices=notices(record.provenance.is_demo),
        pictures=(),
        question=str(asked["prompt"]),
        answer=tuple(
            Run(word.text, "marked" if word.mark == "needs the image" else "said") for word in words
        ),
        lines=evidence_lines(record),
        figures=(
            Figure(
                "Image effect of each word",
                "What a blank image takes from the word's log-probability, in nats.",
                *figures,
            ),
        )
        if figures
        else (),
        tables=(
            table_of(
                record.tables["words"],
                "Tokens",
                "Log-probabilities in nats, teacher-forced on the answer",
                [("text", Column("Token", "text")), *NATS, ("mark", Column("Word", "name"))],
            ),
            table_of(
                record.tables["answer"],
                "Answer",
                "Over all its words; the last two are the signals of arXiv:2603.21693",
                [
                    ("content_words", Column("Content words", "number")),
                    ("mean_image_effect", Column("Mean image effect", "number")),
                    ("log_probability_variance", Column("Variance of log-probability", "number")),
                    ("evidence_magnitude", Column("Evidence magnitude", "number")),
                ],
            ),
        ),
        provenance=provenance_of(record),
        about=model_words(record.provenance),
        limits=LIMITS,
    )


def evidence_lines(record: Record) -> tuple[str, ...]:
    """How many words need the image, and what that means."""
    marked, count = marked_words(record)
    needing, prior = marked["needs the image"], marked["language prior"]
    donors = len(record.plan["donors"])
    return (
        f"{needing} of {count} words need the image (marked): without it they lose "
        f"{NEEDS_IMAGE:g} nat or more. {prior} lose less than {LANGUAGE_PRIOR:g}: language prior.",
        f"Without it means: every soft token replaced by their mean (blank); {donors} other "
        "radiographs in its place, on average (swapped); the same conversation without an image.",
        *(["The answer was given, not generated."] if record.plan["asked"]["forced"] else []),
    )


def _figure(words: tuple[WordEvidence, ...], dark: bool) -> str:
    made: str = image_effect_figure(
        [word.text.strip() for word in words],
        [word.image_effect for word in words],
        [word.mark for word in words],
        dark,
    ).to_json()
    return made
