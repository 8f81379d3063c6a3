"""`questions` keeps what the Python interface computes, goes on, and writes its example set."""

import re

import pandas as pd
import pytest

from medgemma_dash import answer_questions, cli, read_record
from medgemma_dash.cli import chosen_model
from tests.random_answers import case
from tests.services.questions.tables import write_set


@pytest.fixture
def model():
    return case("six layers, heads 8 on 4").model


@pytest.fixture
def table(tmp_path):
    return write_set(tmp_path / "set", subject_id="Jane Doe 1970")


@pytest.fixture
def run(table, model, monkeypatch):
    monkeypatch.setattr(chosen_model, "load_model", lambda *names, **options: model)
    where = [str(table), "--images", str(table.parent / "images"), "--max-new-tokens", "4"]
    return lambda *options: cli.main(["questions", *where, *map(str, options)])


def test_the_record_is_what_python_computes_and_the_report_needs_no_model(
    run, table, model, tmp_path, capsys, monkeypatch
):
    table.write_bytes(table.read_bytes().replace(b"Is there", b"M\xfcller: is there"))
    out = tmp_path / "run"
    assert run("--out", out, "--maps", "--rows", "0:8") == 0
    images = table.parent / "images"
    wanted = answer_questions(model, table, images=images, maps=True, rows=(0, 8), max_new_tokens=4)
    found = read_record(out)
    for name, one in wanted.tables.items():
        one, other = (t.drop(columns="seconds", errors="ignore") for t in (one, found.tables[name]))
        pd.testing.assert_frame_equal(one, other)
    said = capsys.readouterr()
    assert "8 of 8 rows answered" in said.out
    assert "with the image blanked" in said.out
    assert "8 of 8" in said.err
    assert "read as Windows-1252" in said.err
    assert "Jane" not in said.out + said.err

    monkeypatch.setattr(chosen_model, "load_model", None)
    page = tmp_path / "questions.html"
    assert cli.main(["report", str(out), "--out", str(page)]) == 0
    html = page.read_text("utf-8")
    assert "How good are the answers, and how blind?" in html
    assert "What this does not show" in html
    assert "Jane" not in html


def test_ctrl_c_leaves_a_run_that_goes_on(run, tmp_path, capsys, monkeypatch):
    from medgemma_dash.services.questions import run as running

    asked = []

    def row_steps(*given, **options):
        asked.append(1)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return whole(*given, **options)

    whole = running.row_steps
    monkeypatch.setattr(running, "row_steps", row_steps)
    out = tmp_path / "run"
    assert run("--out", out) == cli.INTERRUPTED
    assert "the same command goes on" in capsys.readouterr().err
    assert run("--out", out) == 0
    assert len(asked) == 13, "four, of which one was interrupted, and nine"
    assert re.search(r"\b3 of 12", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "Give a TABLE"),
        (["--out", "{tmp}/set"], "holds no run"),
        (["--out", "{tmp}/r", "--rows", "3:99"], "has 12 rows"),
        (["--out", "{tmp}/r", "--images", "{tmp}/none"], "no folder"),
        (["--out", "{tmp}/set/questions.csv/r"], "cannot be kept"),
    ],
)
def test_what_cannot_be_done_is_one_line(run, options, reason, tmp_path, capsys):
    assert run(*(option.format(tmp=tmp_path) for option in options)) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert re.search(reason, error)
    assert [one.name for one in tmp_path.iterdir()] == ["set"]


def test_the_example_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "medgemma_dash.demo.question_set.example_files",
        lambda: iter([("images/a.png", b"png"), ("questions.csv", b"table")]),
    )
    assert cli.main(["questions", "--example", str(tmp_path / "new")]) == 0
    assert (tmp_path / "new" / "images" / "a.png").read_bytes() == b"png"
    assert (tmp_path / "new" / "questions.csv").read_bytes() == b"table"
    (tmp_path / "file").write_text("")
    assert cli.main(["questions", "--example", str(tmp_path / "file")]) == 2
    assert "Cannot write to" in capsys.readouterr().err
