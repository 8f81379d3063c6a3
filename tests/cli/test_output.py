"""Printing never fails, and never takes the work with it."""

import io
import os
import sys

import pytest

from medgemma_dash import cli
from medgemma_dash.cli.output import say

SPOKEN = "Müller → 胸水 \udcc3"


def printed(monkeypatch, encoding):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    say(SPOKEN)
    return written.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", "M?ller ? ?? ?\n"),
        ("latin-1", "Müller ? ?? ?\n"),
        ("cp1252", "Müller ? ?? ?\n"),
        ("utf-8", "Müller → 胸水 ?\n"),
    ],
)
def test_what_a_terminal_cannot_show_is_a_question_mark(monkeypatch, encoding, shown):
    assert printed(monkeypatch, encoding) == shown


def closed_pipe():
    read, write = os.pipe()
    os.close(read)
    return os.fdopen(write, "w", encoding="utf-8")


def full_disk():
    return open("/dev/full", "w", encoding="utf-8")


def closed_file():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("make", [closed_pipe, full_disk, closed_file, lambda: None])
def test_nobody_reading_is_no_failure_now_or_when_the_program_ends(monkeypatch, make, capsys):
    stream = make()
    monkeypatch.setattr(sys, "stdout", stream)
    say("one")
    say("two")
    if stream is not None:
        stream.close()  # as the interpreter's own last flush
    told = capsys.readouterr().err
    assert ("No space left" in told) == (make is full_disk)


def test_errors_go_to_standard_error_in_one_line(monkeypatch, capsys):
    from medgemma_dash.core.errors import ModelError

    def fail(name):
        raise ModelError("first\nsecond")

    monkeypatch.setattr(cli, "import_module", fail)
    assert cli.main(["doctor"]) == 2
    assert capsys.readouterr() == ("", "error: first second\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["benchmark", "--count", "9" * 5000], "beyond 1,000,000,000,000"),
        (["benchmark", "--first-seed", "²"], "not a whole number"),
        (["explain", "a", "b", "--out", "c", "--token", "9" * 5000], "beyond"),
        (["explain", "a", "b", "--out", "c", "--span", "1:" + "9" * 5000], "not A:B"),
        (["explain", "a", "b", "--out", "c", "--max-new-tokens", "many"], "not a whole number"),
        (["run", "--port", "65536"], "at most 65535"),
    ],
)
def test_numbers_of_nonsense_are_told_in_a_short_line(arguments, told, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert told in last
    assert len(last) < 250
