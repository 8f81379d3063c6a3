"""`benchmark` with the demo model, on one radiograph."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medgemma_dash import cli
from medgemma_dash.cli import benchmark as command
from medgemma_dash.cli import chosen_model
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED
from medgemma_dash.services.evaluation.benchmark import read_summary
from medgemma_dash.services.evaluation.benchmark import run as running
from medgemma_dash.services.evaluation.benchmark.unfinished import FILE
from medgemma_dash.services.evaluation.known_answers import radiographs_with_findings

ONE = ["benchmark", "--count", "1", "--methods", "raw_attention"]


@pytest.fixture
def with_demo_model(demo_model, monkeypatch):
    monkeypatch.setattr(chosen_model, "load_model", lambda *names, **options: demo_model)


def test_the_files_hold_what_is_printed(with_demo_model, tmp_path, capsys):
    out = tmp_path / "new" / "out"
    assert cli.main([*ONE, "--setting", "raw_attention.heads=max", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert (out / "benchmark.md").read_text("utf-8") == printed
    assert str(tmp_path) not in printed
    summary = read_summary(out / "benchmark.json")
    assert "raw_attention.heads=max" in summary.command
    assert "heads: max" in summary.score("raw_attention").settings
    frame = pd.read_parquet(out / "benchmark.parquet")
    assert summary.complete
    assert f"`{summary.command}`" in printed
    assert {method.name for method in summary.methods} == set(frame["method"])
    assert len(frame) == summary.words * len(summary.methods)


def test_a_users_own_boxes_are_measured_and_no_path_is_printed(with_demo_model, tmp_path, capsys):
    truth = next(radiographs_with_findings(FIRST_EVALUATION_SEED))
    finding = truth.findings[0]
    Image.fromarray(truth.pixels).save(tmp_path / "Jane Doe.png")
    top, left = (int(places.min()) for places in np.nonzero(finding.mask))
    (tmp_path / "boxes.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h]\n"
        f"Jane Doe.png,{finding.name.title()},{left},{top},80,80\nmissing.png,Mass,0,0,9,9\n"
    )
    arguments = ["--annotations", str(tmp_path / "boxes.csv"), "--images", str(tmp_path)]
    out = tmp_path / "out"
    assert cli.main(["benchmark", *arguments, "--methods", "raw_attention", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "line 3" in printed.err
    assert "--annotations FILE --images FOLDER" in printed.out
    frame = pd.read_parquet(out / "benchmark.parquet")
    assert set(frame["kind"]) == {"presence", "finding"}
    written = b"".join(path.read_bytes() for path in out.iterdir())
    for private in ("Jane", str(tmp_path)):
        assert private not in printed.out
        assert private.encode() not in written


def test_ctrl_c_stores_what_is_done(with_demo_model, tmp_path, monkeypatch, capsys):
    def stop(done, total):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "show_progress", stop)
    arguments = ["benchmark", "--count", "5", "--methods", "raw_attention"]
    assert cli.main([*arguments, "--out", str(tmp_path)]) == cli.INTERRUPTED
    assert "Partial result" in capsys.readouterr().out
    summary = read_summary(tmp_path / "benchmark.json")
    assert (summary.complete, summary.radiographs) == (False, 1)


def test_a_run_that_was_ended_is_gone_on_with_and_leaves_nothing_behind(
    with_demo_model, tmp_path, monkeypatch, capsys
):
    class KilledError(BaseException):
        pass

    def kill(done, total):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(command, "show_progress", kill)
        with pytest.raises(KilledError):
            cli.main([*ONE, "--out", str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    other = ["benchmark", "--count", "1", "--methods", "rollout", "--out", str(tmp_path)]
    assert cli.main(other) == 2
    assert "was not finished" in capsys.readouterr().err

    def observe_again(*arguments, **options):
        raise AssertionError("done already")

    monkeypatch.setattr(running, "observe", observe_again)
    assert cli.main([*ONE, "--out", str(tmp_path)]) == 0
    assert "Going on" in capsys.readouterr().err
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["benchmark.json", "benchmark.md", "benchmark.parquet"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--methods", "magic"], "chefer"),
        (["--setting", "occlusion.block=9x9"], "1x1, 2x2, 3x3, 4x4"),
        (["--setting", "magic.block=9x9"], "no method 'magic'"),
        (["--annotations", "boxes.csv"], "belong together"),
        (["--annotations", "a.csv", "--images", "b", "--first-seed", "1"], "--first-seed"),
        (["--annotations", "missing.csv", "--images", "missing"], "no usable annotation"),
        (["--out", "/proc/nowhere"], "Choose another --out"),
    ],
)
def test_what_cannot_be_run_is_told_before_the_model_loads(options, told, monkeypatch, capsys):
    monkeypatch.setattr(chosen_model, "load_model", None)
    assert cli.main(["benchmark", *options]) == 2
    assert told in capsys.readouterr().err.splitlines()[-1]


def test_seeds_of_training_are_refused(with_demo_model, capsys):
    assert cli.main([*ONE, "--first-seed", "5"]) == 2
    assert "Choose --first-seed" in capsys.readouterr().err
