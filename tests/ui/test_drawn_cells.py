"""Patches that are drawn on the film of an intervention, whatever the browser tells of the line."""

import math

import pytest

from medgemma_dash.ui.components.interventions.drawn import drawn_cells

SIZE, GRID = (400, 200), (4, 4)  # patches of 100 by 50 pixels


def told(shape=None, points=(), **axes):
    selection = {"points": [{"curve_number": 1, "customdata": list(cell)} for cell in points]}
    return selection if shape is None else selection | {shape: [axes]}


def test_a_stroke_takes_the_patches_under_it_and_what_it_encloses_on_its_way():
    straight = told("lasso", x=[10, 390], y=[60, 60])
    assert drawn_cells(straight, SIZE, GRID) == ((1, 0), (1, 1), (1, 2), (1, 3))
    bent = told("lasso", points=[(2, 1)], x=[10, 10, 190], y=[10, 190, 190])
    assert drawn_cells(bent, SIZE, GRID) == ((0, 0), (1, 0), (2, 0), (2, 1), (3, 0), (3, 1))


def test_a_line_around_patches_takes_those_alone_whose_middle_it_encloses():
    turns = [2 * math.pi * at / 12 for at in range(13)]
    around = told(
        "lasso", points=[(1, 1)], x=[150 + 70 * math.cos(at) for at in turns],
        y=[75 + 40 * math.sin(at) for at in turns],
    )  # fmt: skip
    assert drawn_cells(around, SIZE, GRID) == ((1, 1),)


def test_a_box_takes_middles_and_one_without_a_middle_what_it_touches():
    assert drawn_cells(told("box", points=[(0, 0)], x=[10, 160], y=[10, 60]), SIZE, GRID) == (
        (0, 0),
    )
    assert drawn_cells(told("box", x=[160, 190], y=[60, 70]), SIZE, GRID) == ((1, 1),)
    assert drawn_cells(told("box", x=[190, 160], y=[45, 55]), SIZE, GRID) == ((0, 1), (1, 1))


@pytest.mark.parametrize(
    "axes",
    [
        {"x": [1, 2]},
        {"x": "ab", "y": "cd"},
        {"x": [1, None], "y": [2, 3]},
        {"x": [float("nan"), 1], "y": [2, 3]},
        {"x": [-1e300, -2e300], "y": [2, 3]},
        {"x": [-1e308, -9.0], "y": [1e308, -1e308]},
        {"x": [500, 600], "y": [2, 3]},
        {"x": [], "y": []},
    ],
)
@pytest.mark.parametrize("shape", ["lasso", "box"])
def test_what_is_no_shape_on_the_film_chooses_nothing(shape, axes):
    assert drawn_cells(told(shape, **axes), SIZE, GRID) == ()
    assert drawn_cells({shape: [7]}, SIZE, GRID) == ()
