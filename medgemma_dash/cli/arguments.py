"""What the arguments of several commands have in common; importing it costs nothing."""

import argparse
from pathlib import Path
from typing import TypeAlias

from medgemma_dash.cli.typed_values import read_number, read_option, read_span

# argparse has no public name for what add_subparsers gives.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def add_command(
    commands: Commands, name: str, text: str, module: str | None = None
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(module=module or name)
    return command


def add_image(command: argparse.ArgumentParser) -> None:
    """An image, and a question about it."""
    command.add_argument("image", metavar="IMAGE", type=Path, help="PNG, JPEG or DICOM file")
    command.add_argument("question", metavar="QUESTION")


def add_question(command: argparse.ArgumentParser) -> None:
    """An image, a question about it, and how it is answered."""
    add_image(command)
    command.add_argument(
        "--force", metavar="TEXT", help="take this text as the answer, such as a report"
    )
    add_length(command)


def add_length(command: argparse.ArgumentParser) -> None:
    """How long an answer may be."""
    command.add_argument("--max-new-tokens", type=read_number, default=256, metavar="N")


def add_method(command: argparse.ArgumentParser) -> None:
    """What makes the maps."""
    command.add_argument("--method", default="chefer", help="attribution method (%(default)s)")


def add_setting(command: argparse.ArgumentParser) -> None:
    """The method's options."""
    command.add_argument(
        "--setting",
        type=read_option,
        action="append",
        default=[],
        metavar="OPTION=CHOICE",
        help="an option of the method, such as heads=max; may be repeated",
    )


def add_target(command: argparse.ArgumentParser) -> None:
    """What of the answer is meant; none of these is the whole answer."""
    target = command.add_mutually_exclusive_group()
    target.add_argument("--token", type=read_number, metavar="N", help="token N, counted from 0")
    target.add_argument("--phrase", metavar="WORDS", help="these words of the answer")
    target.add_argument("--span", type=read_span, metavar="A:B", help="tokens A to B - 1")
    target.add_argument(
        "--margin",
        nargs=2,
        metavar=("YES", "NO"),
        help="the decision between two words at the answer's first place",
    )


def add_record_out(command: argparse.ArgumentParser) -> None:
    """Where a record is written."""
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="RECORD",
        help="folder for the record, or one file where the name ends in .zip",
    )


def add_model_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", help="demo, a hub id, or a checkpoint folder ($MEDGEMMA_DASH_MODEL, or demo)"
    )
    command.add_argument(
        "--device", help="auto, cpu, cuda, cuda:N or mps ($MEDGEMMA_DASH_DEVICE, or auto)"
    )
    command.add_argument(
        "--dtype", help="auto, float32 or bfloat16 ($MEDGEMMA_DASH_DTYPE, or auto)"
    )
