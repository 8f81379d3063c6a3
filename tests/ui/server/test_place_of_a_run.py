"""A run of the whole page that follows one of a part is drawn into the page, not into the part."""

from __future__ import annotations

from pathlib import Path

from tests.ui.server.conftest import started, wait_until
from tests.ui.server.visitor import Visitor, request

LOOKS = 20  # the server has heard by then what it was asked before
NESTED = Path(__file__).parent / "apps" / "nested.py"


def test_a_whole_run_behind_a_part_of_it_is_drawn_at_the_top(tmp_path: Path) -> None:
    """Else the page stands inside the part, and the browser breaks at what is drawn next."""
    with (
        started(tmp_path, NESTED, FOLDER=str(tmp_path)) as server,
        Visitor(server.address) as visitor,
    ):
        visitor.open()
        visitor.hear_until(lambda visitor: visitor.runs_ended == 1)
        whole = visitor.places
        assert [0, 0] in whole
        (tmp_path / "held").touch()
        visitor.open(fragment=visitor.fragments[0])
        wait_until((tmp_path / "ending").exists, "the end of the part's run")
        visitor.open()  # is run by the thread that is about to end
        for _ in range(LOOKS):
            request(server.address, "/_stcore/health")
        (tmp_path / "go").touch()
        visitor.hear_until(lambda visitor: visitor.runs_ended == 2)
        part = visitor.places
        visitor.hear_until(lambda visitor: visitor.runs_ended == 3)
    assert part == [place for place in whole if place[:2] == [0, 1] and place != [0, 1]]
    assert visitor.places == whole
