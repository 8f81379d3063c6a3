"""`words`: asks, and writes where the model looked for chosen words."""

import argparse

from medgemma_dash.cli.arguments import (
    Commands,
    add_command,
    add_model_options,
    add_question,
    add_record_out,
)
from medgemma_dash.cli.typed_values import read_number, read_option


def add(commands: Commands) -> None:
    """Its arguments."""
    command = add_command(
        commands, "words", "ask about a radiograph, and map where the model looks for chosen words"
    )
    add_question(command)
    command.add_argument(
        "--word",
        action="append",
        required=True,
        metavar="WORDS",
        help="a word or a phrase of up to five; may be repeated",
    )
    command.add_argument(
        "--place",
        action="append",
        choices=("answer", "prompt", "forced"),
        help="where it is looked for, or that it is forced into the answer; may be repeated "
        "(answer)",
    )
    command.add_argument(
        "--after",
        type=read_number,
        metavar="N",
        help="tokens of the answer in front of a forced word (where it was most probable)",
    )
    how = command.add_mutually_exclusive_group()
    how.add_argument("--method", default="chefer", help="attribution method (%(default)s)")
    how.add_argument(
        "--chain",
        dest="method",
        action="store_const",
        const="chain",
        help="Grad-CAM of the phrase, of its tokens, text-to-image attention, activation norm: the "
        "first that gives a map",
    )
    command.add_argument(
        "--setting",
        type=read_option,
        action="append",
        default=[],
        metavar="OPTION=CHOICE",
        help="an option of the method, such as heads=max; may be repeated",
    )
    add_model_options(command)
    add_record_out(command)


def run(options: argparse.Namespace) -> int:
    """Ask, look and write; what can be refused without a model is refused before it loads."""
    from medgemma_dash.cli.chosen_model import chosen_model
    from medgemma_dash.cli.output import say, say_lines
    from medgemma_dash.cli.progress import show_progress
    from medgemma_dash.cli.summary import answered, asking, printable
    from medgemma_dash.core.notices import RESEARCH_NOTICE
    from medgemma_dash.core.record_files import check_place
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.services.explaining.asking import ask
    from medgemma_dash.services.words.plan import checked_words
    from medgemma_dash.services.words.reading import failed_lines, word_lines
    from medgemma_dash.services.words.run import chosen_options, target_words

    choice = chosen_model(options)
    check_place(options.out)
    words, settings = checked_words(options.word), dict(options.setting)
    chosen_options(options.method, settings)
    radiograph = load_radiograph(options.image)
    say(RESEARCH_NOTICE)
    model = choice.load()
    say_lines(asking(model, options.question))
    answer = ask(
        model,
        radiograph,
        options.question,
        max_new_tokens=options.max_new_tokens,
        force=options.force,
    )
    say_lines(answered(answer))
    record = target_words(
        model,
        answer,
        words,
        places=options.place or ("answer",),
        method=options.method,
        options=settings,
        forced_after=options.after,
        progress=show_progress,
    )
    record.save(options.out)
    say("")
    say_lines(printable(line) for line in (*word_lines(record), *failed_lines(record)))
    say(f"Written   {options.out}")
    return 0
