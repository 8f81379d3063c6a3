"""A session's state is changed by one run of a page at a time."""

from __future__ import annotations

from pathlib import Path

from tests.ui.server.conftest import started, wait_until
from tests.ui.server.visitor import Visitor, request

WAITING = Path(__file__).parent / "apps" / "waiting.py"
LOOKS = 20  # each takes the server longer than beginning a run does


def test_a_new_run_begins_when_the_one_before_has_ended(tmp_path: Path) -> None:
    """Else a map that came in between was drawn by neither: its sentence stood without it."""
    runs = tmp_path / "runs"
    with (
        started(tmp_path, WAITING, FOLDER=str(tmp_path)) as server,
        Visitor(server.address) as visitor,
    ):
        visitor.open()
        wait_until(runs.exists, "the first run")
        visitor.open()
        for _ in range(LOOKS):
            request(server.address, "/_stcore/health")
        assert runs.read_text().split() == ["begins"]
        (tmp_path / "go").touch()
        wait_until(lambda: len(runs.read_text().split()) == 4, "the second run's end")
    assert runs.read_text().split() == ["begins", "ends"] * 2
