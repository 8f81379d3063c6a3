"""Plotly accepts every value of the figures that are made without its checks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from medgemma_dash.figures import (
    MapPanel,
    QualityMeasure,
    WordRelevance,
    comparison_figure,
    conditions_figure,
    image_effect_figure,
    layer_figure,
    prompt_words_figure,
    quality_figure,
    relevance_figure,
    removal_curve_figure,
    token_bars_figure,
)
from medgemma_dash.figures.map_pair import map_pair_figure
from medgemma_dash.figures.prompt_matrix import prompt_matrix_figure
from medgemma_dash.figures.prompt_matrix_marks import MatrixCell

GRID = (16, 16)
MAP = np.random.default_rng(0).normal(size=GRID).astype(np.float32)
ZONES = [["Right lower"] * 8 + [""] * 8] * 16
FILM = (b"jpeg", 90, 120, GRID)
CELLS = [(3, 4)]
PANELS = [
    MapPanel("a", *FILM, MAP, laterality="left", zone_names=ZONES),
    MapPanel("b", *FILM, MAP, signed=True),
    MapPanel("c", *FILM, None, reason="no map"),
]
MATRIX_CELL = MatrixCell(np.abs(MAP), 2.5, "<b>yes</b>", "+2.5", "0.01", ["a", "b"], b"jpeg")
FIGURES = {
    "bare": lambda: relevance_figure(*FILM, None),
    "signed": lambda: relevance_figure(*FILM, MAP, signed=True, mode="grid", threshold=0.3),
    "everything": lambda: relevance_figure(
        *FILM,
        MAP,
        zone_names=ZONES,
        laterality="left",
        selected_cells=CELLS,
        drawn_zones=True,
        lit_zones=["Right lower"],
        boxes=True,
        view=(10.0, 60.0, 90.0, 20.0),
        fine=np.abs(np.kron(MAP, np.ones((4, 4), np.float32))),
    ),
    "panels": lambda: comparison_figure(PANELS, selected_cells=CELLS),
    "one scale": lambda: comparison_figure(PANELS, scale="shared", linked_hover=False),
    "layers": lambda: layer_figure(np.abs(MAP[0]), [True, False] * 8, named=3),
    "image effects": lambda: image_effect_figure(["Yes", "."], [4.8, -0.1], ["in part", ""]),
    "conditions": lambda: conditions_figure([("with it", 0.99, "0.99"), ("blank", 0.1, "0.10")]),
    "qualities": lambda: quality_figure(
        ["Yes", "no"],
        [
            QualityMeasure(
                "a", "b", 0.7, 0.5, 0.6, 1.0, (0.8, 0.2), ("80%", "20%"), ("good", "poor")
            ),
            QualityMeasure("c", "", None, None, None, 1.0, (0.8, 0.2), ("1", "2"), (None, None)),
        ],
    ),
    "removal curves": lambda: removal_curve_figure(
        np.arange(16) / 15, tuple(np.abs(MAP[:3])), [("a", MAP[3]), ("b", MAP[4])], "share removed"
    ),
    "tokens": lambda: token_bars_figure(
        ["a", "<b>"], [0.2, -0.4], ["0.2", "-0.4"], measure="p", chosen=1, marks=[0.1, 0.3]
    ),
    "prompts": lambda: prompt_matrix_figure(
        [[MATRIX_CELL, None, replace(MATRIX_CELL, image_map=None)]] * 3,
        ["itself", "noise 2", "blur 1"],
        ["1 baseline", "2 plain", "3"],
        selected=(0, 2),
        reference=(0, 0),
    ),
    "pair": lambda: map_pair_figure(PANELS[0], PANELS[1]),
    "words": lambda: prompt_words_figure([WordRelevance("a", -0.1), WordRelevance("b", 0.2)]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_plotly_would_refuse_nothing(name: str) -> None:
    made = FIGURES[name]()
    checked = go.Figure(made.to_dict())
    assert len(checked.data) == len(made.data)


def test_a_value_that_plotly_refuses_would_be_found() -> None:
    made = FIGURES["words"]()
    spec = made.to_dict()
    spec["data"][0]["orientation"] = "sideways"
    with pytest.raises(ValueError, match="orientation"):
        go.Figure(spec)
