"""A benchmark's summary: its means, its table, and reading it back."""

import json
import subprocess
import sys

import pytest

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.services.evaluation.benchmark import read_summary
from medgemma_dash.services.evaluation.benchmark.stored import summary_json
from medgemma_dash.services.evaluation.benchmark.summary import summarise
from medgemma_dash.services.evaluation.benchmark.table import as_markdown
from tests.services.benchmark_runs import COMMAND, known_case, run


@pytest.fixture(scope="module")
def summary():
    return summarise(run((known_case("1"), known_case("2"))), COMMAND)


def test_each_kind_of_word_counts_alike_and_undefined_measures_have_no_mean(summary):
    found = summary.score("raw_attention")
    assert found.words == summary.words == 6
    assert {one.measure: one.n for one in found.scores}["pointing"] == 6
    assert summary.score("occlusion").interval("spearman") is None
    assert found.interval("spearman") is not None
    assert summary.score("magic") is None


def test_the_table_has_every_method_its_settings_and_the_rules(summary):
    table = as_markdown(summary)
    for method in summary.methods:
        assert table.count(f"| {method.title} |") == 3
    for fact in (COMMAND, "no map", "The rule.", "block: 2x2", "scored as a miss", "bootstrap"):
        assert fact in table
    assert table.index("Raw attention") < table.index("Uniform map")


def test_a_summary_reads_back_as_it_was_written(summary, tmp_path):
    path = tmp_path / "benchmark.json"
    path.write_text(summary_json(summary), encoding="utf-8")
    assert read_summary(path) == summary


def changed(**fields):
    def change(document):
        document.update(fields)
        return document

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda document: [], "schema"),
        (changed(schema="other"), "schema is medgemma-dash/benchmark"),
        (changed(schema_version=99), "99"),
        (changed(words="six"), "words is not of the type int"),
        (changed(words=True), "words is not of the type int"),
        (changed(extra=1), "the summary needs exactly"),
        (changed(methods=[{}]), "methods needs exactly name, title"),
        (changed(methods=None), "methods is not a list"),
    ],
)
def test_a_file_of_another_form_is_refused_with_the_reason(summary, tmp_path, change, told):
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps(change(json.loads(summary_json(summary)))), encoding="utf-8")
    with pytest.raises(ResultFileError, match=told) as refused:
        read_summary(path)
    assert "--out FOLDER" in str(refused.value)


@pytest.mark.parametrize(("text", "told"), [(None, "cannot be read"), ("{", "no JSON")])
def test_a_missing_or_broken_file_is_refused(tmp_path, text, told):
    path = tmp_path / "benchmark.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ResultFileError, match=told):
        read_summary(path)


def test_the_pages_read_a_summary_without_loading_torch(repository):
    code = (
        "import sys\nfrom medgemma_dash.services.evaluation.benchmark import read_summary\n"
        "print('torch' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True)
    assert printed.stdout.strip() == b"False"
