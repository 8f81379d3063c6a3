"""A page with a part in a container of its own, the end of whose run can be held up.

FOLDER: where "held" is, Streamlit's collecting of garbage behind a run makes "ending" and waits
for "go", once.
"""

import gc
import os
import time
from pathlib import Path

import streamlit as st

from medgemma_dash.ui.server import MIDDLEWARE, lifespan
from medgemma_dash.ui.shell.entry import begin_at_the_top

FOLDER = Path(os.environ["FOLDER"])


def hold_up(phase: str, about: dict[str, int]) -> None:
    if phase == "start" and about["generation"] == 2 and (FOLDER / "held").exists():
        (FOLDER / "held").unlink()
        (FOLDER / "ending").touch()
        while not (FOLDER / "go").exists():
            time.sleep(0.005)


@st.fragment(run_every=3600)
def part() -> None:
    st.write("part")


if __name__ == "__main__":
    begin_at_the_top()
    st.write("first")
    with st.container():
        part()
    st.write("last")
else:
    gc.callbacks.append(hold_up)
    app = st.App(__file__, middleware=MIDDLEWARE, lifespan=lifespan)
