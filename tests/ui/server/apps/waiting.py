"""A page each of whose runs waits, without drawing anything, until a file is there.

FOLDER: there "go" is waited for, and "runs" gets a line when a run begins and when it ends.
"""

import os
import time
from pathlib import Path

import streamlit as st

from medgemma_dash.ui.server import MIDDLEWARE, lifespan

FOLDER = Path(os.environ["FOLDER"])


def note(line: str) -> None:
    with (FOLDER / "runs").open("a") as runs:
        runs.write(f"{line}\n")


if __name__ == "__main__":
    note("begins")
    while not (FOLDER / "go").exists():
        time.sleep(0.005)
    note("ends")
    st.write("drawn")
else:
    app = st.App(__file__, middleware=MIDDLEWARE, lifespan=lifespan)
