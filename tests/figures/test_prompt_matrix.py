"""Where the matrix of prompts puts its maps, bars and frames, and what it leaves out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from medgemma_dash.figures import MapPanel
from medgemma_dash.figures.map_pair import map_pair_figure
from medgemma_dash.figures.prompt_matrix import prompt_matrix_figure
from medgemma_dash.figures.prompt_matrix_marks import NO, YES, MatrixCell
from medgemma_dash.figures.prompt_matrix_room import room_for

ROWS, COLUMNS = 2, 3


def cell(seed: int, margin: float, **other: Any) -> MatrixCell:
    image = np.random.default_rng(seed).random((4, 5)).astype(np.float32)
    said = "yes" if margin > 0 else "no"
    return MatrixCell(image, margin, said, f"{margin:+.1f}", "small", [f"cell {seed}"], **other)


CELLS = [
    [cell(0, 4.0), cell(1, -2.0), cell(2, 1.0)],
    [cell(3, -4.0), None, cell(5, 2.0)],
]


def drawn(**options: Any) -> Any:
    titles = [f"{row} row" for row in range(ROWS)], [f"{one} column" for one in range(COLUMNS)]
    return prompt_matrix_figure(CELLS, *titles, mode="grid", **options)


def place(figure: Any, row: int, column: int) -> tuple[slice, slice]:
    """The part of the axes that belongs to a cell, as the clicks divide them."""
    across, down = figure["layout"]["xaxis"]["range"][1], figure["layout"]["yaxis"]["range"][0]
    return (
        slice(row * down / ROWS, (row + 1) * down / ROWS),
        slice(column * across / COLUMNS, (column + 1) * across / COLUMNS),
    )


@pytest.mark.parametrize("room_px", [200, 330, 900])
def test_each_map_stands_in_its_cell_as_shares_of_its_relevance(room_px: int) -> None:
    figure = drawn(room_px=room_px)
    heatmap = figure.data[0]
    x, y, z = (np.asarray(heatmap[name]) for name in "xyz")
    for row, line in enumerate(CELLS):
        for column, one in enumerate(line):
            down, across = place(figure, row, column)
            inside = z[(y > down.start) & (y < down.stop)][
                :, (x > across.start) & (x < across.stop)
            ]
            kept = inside[~np.isnan(inside).all(1)][:, ~np.isnan(inside).all(0)]
            if one is None:
                assert not kept.size
            else:
                assert np.allclose(kept, one.image_map / one.image_map.sum(), rtol=1e-6, atol=0)
    shares = [one.image_map.max() / one.image_map.sum() for line in CELLS for one in line if one]
    assert heatmap["zmax"] == pytest.approx(max(shares))


def test_bars_say_sign_and_size_of_the_margins_on_one_scale() -> None:
    figure = drawn()
    for row, line in enumerate(CELLS):
        for column, one in enumerate(line):
            down, across = place(figure, row, column)
            bars = [
                shape
                for shape in figure["layout"]["shapes"]
                if shape["fillcolor"] in (YES, NO)
                and down.start < shape["y0"] < down.stop
                and across.start <= shape["x0"] < across.stop
            ]
            if one is None:
                assert not bars
                continue
            (bar,) = bars
            tracks = [
                shape
                for shape in figure["layout"]["shapes"]
                if shape["y0"] == bar["y0"] and across.start <= shape["x0"] < across.stop
            ]
            track = max(tracks, key=lambda shape: shape["x1"] - shape["x0"])
            half = (track["x1"] - track["x0"]) / 2
            assert (bar["x1"] - bar["x0"]) / half == pytest.approx(abs(one.margin) / 4)
            end = "x0" if one.margin > 0 else "x1"
            assert bar[end] == pytest.approx(track["x0"] + half)
            assert bar["fillcolor"] == (YES if one.margin > 0 else NO)


def test_frames_stand_around_the_chosen_and_the_reference() -> None:
    figure = drawn(selected=(0, 2), reference=(1, 0))
    frames = [one for one in figure["layout"]["shapes"] if one["fillcolor"] == "rgba(0,0,0,0)"]
    for chosen, colour in (((1, 0), "#ffffff"), ((0, 2), "#f2a33a")):
        (frame,) = [one for one in frames if one["line"]["color"] == colour]
        down, across = place(figure, *chosen)
        assert down.start < frame["y0"] < frame["y1"] < down.stop
        assert across.start < frame["x0"] < frame["x1"] < across.stop


def test_what_has_no_room_for_its_words_keeps_its_bar() -> None:
    def texts(figure: Any) -> set[str]:
        return {one["text"] for one in figure["layout"]["annotations"]}

    assert {"yes +4.0", "small"} <= texts(drawn())
    assert "small" not in texts(drawn(room_px=235))
    assert "yes +4.0" not in texts(drawn(room_px=120))


@pytest.mark.parametrize("rows", [1, 3, 8])
@pytest.mark.parametrize("room_px", [330, 740])
def test_what_is_said_to_stand_at_a_map_stands_there(rows: int, room_px: int) -> None:
    films, prompts = [f"noise {row}" for row in range(rows)], [f"{one}" for one in range(8)]
    told = room_for(films, prompts, 1.0, room_px, 540).tells
    cells = [[cell(8 * row + one, 1.0) for one in range(8)] for row in range(rows)]
    figure = prompt_matrix_figure(cells, films, prompts, room_px=room_px, tallest_px=540)
    texts = [one["text"] for one in figure["layout"]["annotations"]]
    assert texts.count("small") == (8 * rows if told == "all" else 0)
    decisions = texts.count("yes +1.0") + texts.count("+1.0")
    assert decisions == (0 if told == "nothing" else 8 * rows)
    if (rows, room_px) in {(3, 740), (8, 740)}:
        assert told == "all"


def test_cells_and_titles_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="columns"):
        prompt_matrix_figure(CELLS, ["a", "b"], ["a", "b"])
    with pytest.raises(ValueError, match="1 titles for 2 rows"):
        prompt_matrix_figure(CELLS, ["a"], ["a", "b", "c"])


@pytest.mark.parametrize("signed", [False, True])
def test_a_difference_is_the_second_maps_shares_less_the_firsts(signed: bool) -> None:
    first, second = (
        np.random.default_rng(seed).normal(size=(4, 5)).astype(np.float32) for seed in (1, 2)
    )
    panels = [MapPanel("a", b"", 5, 4, (4, 5), one, signed=signed) for one in (first, second)]
    data = map_pair_figure(*panels, mode="grid").data
    maps = [np.asarray(one["z"]) for one in data if one["type"] == "heatmap"]
    kept = [one if signed else one.clip(0) for one in (first, second)]
    shares = [one / np.abs(one).sum() for one in kept]
    assert np.allclose(maps[0], shares[0], rtol=1e-5, atol=1e-8)
    assert np.allclose(maps[2], shares[1] - shares[0], rtol=1e-4, atol=1e-7)
    ends = [one["zmax"] for one in data if one["type"] == "heatmap"]
    assert ends == pytest.approx([max(float(np.abs(one).max()) for one in shares)] * 3)
