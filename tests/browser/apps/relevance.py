"""A page with the figures alone, for their browser tests; ?dark=0 for the light theme.

?told=1: it says what Python knows of the zoom.
"""

import io
import json

import numpy as np
import streamlit as st
from PIL import Image

from medgemma_dash.figures import (
    WordRelevance,
    layer_figure,
    prompt_words_figure,
    relevance_figure,
)
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.film_box import film_box
from medgemma_dash.ui.components.kept_view import kept_range, kept_view
from medgemma_dash.ui.components.patch_clicks import clicked_patch, patch_clicks
from medgemma_dash.ui.components.theme import apply_styles
from medgemma_dash.ui.server import plotly_route

HEIGHT, WIDTH, ROWS, COLS = 1200, 900, 16, 16


def draw() -> None:
    st.set_page_config(layout="wide")
    apply_styles()

    query = st.query_params
    dark = query.get("dark", "1") == "1"
    signed = query.get("signed", "0") == "1"

    # A smooth shaded ellipse stands in for a radiograph.
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    shade = 220 * np.exp(-(((x - 450) / 420) ** 2 + ((y - 600) / 560) ** 2)) + 0 * x
    buffer = io.BytesIO()
    Image.fromarray(shade.astype(np.uint8)).save(buffer, "JPEG", quality=85)

    state = st.session_state
    state.setdefault("seed", 0)
    state.setdefault("cells", ())
    state.setdefault("log", [])

    def relevance_map(seed: int) -> np.ndarray:
        values = np.random.default_rng(seed).random((ROWS, COLS)) * 0.0005
        row, col = (10, 5) if seed == 0 else (4, 11)
        values[row, col] = 0.01
        values[row - 1, col] = -0.006 if signed else 0.006
        values[row, col - 1] = 0.005
        values[0, 0] = 0.008
        return values.astype(np.float32)

    words = [[[] for _ in range(COLS)] for _ in range(ROWS)]
    words[10][5] = ["lower", " <b>right</b>", "<img src=x onerror=window.hacked=1>"]
    zones = [["Right lower" if row > 10 else "" for _ in range(COLS)] for row in range(ROWS)]

    @st.fragment(run_every=0.5)
    def told() -> None:
        """What Python knows of the zoom; it asks by itself, since a zoom reruns nothing else."""
        st.text(f"view {kept_range(key='view', revision='scratch')}")

    def choose() -> None:
        cell = clicked_patch("clicks")
        state.cells = (cell,)
        state.log.append(state.cells)

    left, right = st.columns([2, 3])
    with left:
        view = kept_view(container="overlay", key="view", revision="scratch")
        figure = relevance_figure(
            buffer.getvalue(),
            WIDTH,
            HEIGHT,
            (ROWS, COLS),
            relevance_map(state.seed),
            zone_names=zones,
            cell_words=words,
            mode=query.get("mode", "smooth"),
            threshold=float(query.get("threshold", 0)),
            signed=signed,
            laterality="left",
            selected_cells=state.cells,
            revision="scratch",
            view=view,
            dark=dark,
        )
        with film_box("overlay", WIDTH, HEIGHT, tallest="560px"):
            chart(figure, key="map", alt="", tools=True, height="stretch")
        patch_clicks(container="overlay", key="clicks", on_click=choose)
    with right:
        if st.button("Next map"):
            state.seed += 1
            st.rerun()
        st.text(f"log {json.dumps(state.log)}")
        if "told" in query:
            told()
        with st.container(key="layers"):
            shares = np.array([3, 4, 3.5, 6, 8, 14, 7, 6, 9, 7, 5, 11], np.float32) / 20
            chart(
                layer_figure(shares, [index % 6 == 5 for index in range(12)], dark),
                key="bars",
                alt="",
            )
        with st.container(key="words"):
            chart(
                prompt_words_figure(
                    [
                        WordRelevance("consolidation", 0.0041),
                        WordRelevance("<b>evidence</b>", 0.0015),
                        WordRelevance("right", 0.0013, "answer"),
                    ],
                    dark,
                ),
                key="word_bars",
                alt="",
            )


if __name__ == "__main__":
    draw()
else:
    app = st.App(__file__, routes=[plotly_route()])
