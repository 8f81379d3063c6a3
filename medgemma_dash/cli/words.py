"""`words`: asks, and writes where the model looked for chosen words."""

import argparse

from medgemma_dash.cli.arguments import (
    Commands,
    add_command,
    add_model_options,
    add_question,
    add_record_out,
    add_setting,
)
from medgemma_dash.cli.typed_values import read_number


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
    add_setting(command)
    add_model_options(command)
    add_record_out(command)


def run(options: argparse.Namespace) -> int:
    """Ask, look and write; what can be refused without a model is refused before it loads."""
    from medgemma_dash.cli.asked import answer_of, loaded, model_and_place, write
    from medgemma_dash.cli.progress import show_progress
    from medgemma_dash.cli.summary import printable
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.services.words.plan import checked_words
    from medgemma_dash.services.words.reading import failed_lines, word_lines
    from medgemma_dash.services.words.run import chosen_options, target_words

    choice = model_and_place(options)
    words, settings = checked_words(options.word), dict(options.setting)
    chosen_options(options.method, settings)
    radiograph = load_radiograph(options.image)
    model = loaded(choice, options)
    answer = answer_of(model, radiograph, options)
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
    lines = ("", *word_lines(record), *failed_lines(record))
    write(record, options, map(printable, lines))
    return 0
