"""A server like the program's, whose engine computes with torch from the first page on.

COMPUTING: a file that is made when it computes. CHECKS: "yes" when the work asks whether to stop.
"""

import os
import sys
from pathlib import Path

import streamlit as st

from medgemma_dash.services.runtime.engine import Engine
from medgemma_dash.services.runtime.job import JobContext
from medgemma_dash.ui.server import MIDDLEWARE, lifespan

SIDE = 600


def compute(context: JobContext) -> None:
    import torch

    matrix = torch.rand(SIDE, SIDE, requires_grad=True)
    while True:
        product = matrix @ matrix
        # Through C++ and back into Python, as an explanation goes.
        product.register_hook(lambda gradient: gradient * 1.0)
        torch.autograd.grad(product.sum(), matrix)
        Path(os.environ["COMPUTING"]).touch()
        if os.environ["CHECKS"] == "yes":
            context.check()


@st.cache_resource
def engine() -> Engine:
    made = Engine()
    made.submit(compute, owner="ada", label="computing", needs_heartbeat=False)
    return made


if __name__ == "__main__":
    engine()
else:
    # The interpreter hands over between threads as often as it can, so that one of them is as
    # likely as can be to want it back when it is gone.
    sys.setswitchinterval(1e-5)
    app = st.App(__file__, middleware=MIDDLEWARE, lifespan=lifespan)
