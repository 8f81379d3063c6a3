"""A benchmark that was killed goes on where it was, and ends as if nothing had happened."""

import dataclasses
from functools import partial

import pytest

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.services.evaluation.benchmark import run as running
from medgemma_dash.services.evaluation.benchmark.cases import CaseSource, Picture
from medgemma_dash.services.evaluation.benchmark.run import chosen_methods, identity, run_benchmark
from medgemma_dash.services.evaluation.benchmark.unfinished import FILE, Unfinished
from tests.random_answers import case
from tests.services.benchmark_runs import SHAPE, known_case

METHODS = chosen_methods(["raw_attention"])
# Two findings on the first radiograph, one answered wrong on the second, one that cannot be asked.
CASES = (("1a", "1b"), ("2-wrong", "2-none"), ("3",))


class KilledError(BaseException):
    """Ends the process at once: nothing is there to catch it."""


class Machine:
    """Runs the benchmark in a folder, killed when it is to ask for the case of a given name."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.monkeypatch = folder, monkeypatch
        self.asked: list[str] = []
        self.observed: list[str] = []

    def run(self, killed_at: str = "", killed_observing: str = "", **changes):
        def ask(name):
            if name == killed_at:
                raise KilledError
            self.asked.append(name)
            if "none" in name:
                return None
            return known_case(name, right="wrong" not in name)

        real = running.observe

        def observe(model, asked, *arguments, **options):
            if asked.radiograph == killed_observing:
                raise KilledError
            self.observed.append(asked.radiograph)
            return real(model, asked, *arguments, **options)

        model = case(SHAPE).model
        pictures = (Picture(tuple(partial(ask, name) for name in names)) for names in CASES)
        source = CaseSource("pictures", "The rule.", len(CASES), pictures, "these pictures")
        head = identity(model, source, METHODS, {}, remove_for_all_words=False) | changes
        with self.monkeypatch.context() as patched:
            patched.setattr(running, "observe", observe)
            return run_benchmark(
                model,
                source,
                METHODS,
                options={},
                unfinished=Unfinished.open(self.folder, head),
            )


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def without_seconds(benchmark):
    """Every digit of every number, in which NaN equals NaN."""
    return [repr(dataclasses.astuple(one)[:-1]) for one in benchmark.observations]


def test_killed_again_and_again_it_does_nothing_twice_and_ends_as_unbroken(
    machine, tmp_path_factory, monkeypatch
):
    for stop in ({"killed_at": "1b"}, {"killed_observing": "2-wrong"}, {"killed_at": "3"}):
        with pytest.raises(KilledError):
            machine.run(**stop)
    ended = machine.run()
    names = [name for names in CASES for name in names]
    assert sorted(machine.observed) == sorted(n for n in names if "none" not in n)
    # What it was killed at in the middle is asked again; all else is asked once.
    assert sorted(machine.asked) == sorted([*names, "2-wrong"])

    unbroken = Machine(tmp_path_factory.mktemp("unbroken"), monkeypatch).run()
    assert without_seconds(ended) == without_seconds(unbroken)
    for name in ("complete", "radiographs", "answers", "wrong_answers", "left_out"):
        assert getattr(ended, name) == getattr(unbroken, name)
    assert (ended.answers, ended.wrong_answers, ended.left_out) == (4, 1, 1)


def test_what_is_kept_reads_back_to_the_last_bit(machine):
    first = machine.run()
    again = machine.run()  # all of it from the file
    assert len(machine.asked) == 5
    assert repr(first.observations) == repr(again.observations)  # seconds too


@pytest.mark.parametrize("cut", [1, 40])
def test_a_line_that_was_not_written_to_its_end_is_done_again(machine, tmp_path, cut):
    whole = machine.run()
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:-cut])
    del machine.asked[:]
    assert without_seconds(machine.run()) == without_seconds(whole)
    assert machine.asked == ["3"]
    assert path.read_bytes().count(b"\n") == 1 + 5


def test_another_runs_leftovers_are_never_mixed_in(machine, tmp_path):
    machine.run()
    before = (tmp_path / FILE).read_bytes()
    for change in ({"revision": "other"}, {"pictures": "others"}, {"package_version": "9"}):
        with pytest.raises(ResultFileError, match=r"not finished.*choose another --out"):
            machine.run(**change)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_damaged_line_is_told(machine, tmp_path):
    machine.run()
    path = tmp_path / FILE
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], b"{", *lines[2:]]))
    with pytest.raises(ResultFileError, match="damaged"):
        machine.run()
