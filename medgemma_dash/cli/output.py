"""What a command says and writes, without losing what it has worked out."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from medgemma_dash.core.errors import SettingError


def say(text: str = "", *, end: str = "\n", error: bool = False) -> None:
    """Print a line on standard output, or on standard error; it never fails.

    What a terminal or file cannot show in its encoding becomes a question mark. Where nobody reads
    any more (a closed pipe) or nothing more fits (a full disk, which is told), the rest is dropped,
    and the work goes on.
    """
    stream = sys.stderr if error else sys.stdout
    if stream is None:  # started without a terminal
        return
    try:
        stream.write(_showable(text, stream) + end)
        stream.flush()
    except (OSError, ValueError) as failure:
        _drop(stream)
        if not error and not isinstance(failure, BrokenPipeError):
            say(f"warning: what is printed cannot be written: {failure}", error=True)


def say_lines(lines: Iterable[str]) -> None:
    """Print lines, all at once."""
    say("\n".join(lines))


def _showable(text: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _drop(stream: TextIO) -> None:
    """Let what is still to come go nowhere, the interpreter's own last flush among it."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # a stream without a descriptor
        return


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn a failure of the file system into an error that names what the user typed."""
    try:
        yield
    except OSError as error:
        raise SettingError(
            f"Cannot write to {path}: {error.strerror or error}. Choose another --out."
        ) from error
