"""What commands have in common that ask about a radiograph: what is said, and what is written."""

import argparse
from collections.abc import Iterable

from medgemma_dash.cli.chosen_model import ModelChoice, chosen_model
from medgemma_dash.cli.output import say, say_lines
from medgemma_dash.cli.summary import answered, asking
from medgemma_dash.core.answer import Answer
from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record
from medgemma_dash.core.record_files import check_place
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.explaining.asking import ask


def model_and_place(options: argparse.Namespace) -> ModelChoice:
    """The model that is to be loaded; raises SettingError, and where no record can be written."""
    choice = chosen_model(options)
    check_place(options.out)
    return choice


def loaded(choice: ModelChoice, options: argparse.Namespace) -> VisionLanguageModel:
    """Load it, and say what it is asked."""
    say(RESEARCH_NOTICE)
    model = choice.load()
    say_lines(asking(model, options.question))
    return model


def answer_of(
    model: VisionLanguageModel, radiograph: Radiograph, options: argparse.Namespace
) -> Answer:
    """Ask, and say what it answers; --force, where the command has it, is the answer."""
    answer = ask(
        model,
        radiograph,
        options.question,
        max_new_tokens=options.max_new_tokens,
        force=vars(options).get("force"),
    )
    say_lines(answered(answer))
    return answer


def write(record: Record, options: argparse.Namespace, lines: Iterable[str]) -> None:
    """Write the record into --out, then say what it says, in these lines, and where it is."""
    record.save(options.out)
    say_lines(lines)
    say(f"Written   {options.out}")
