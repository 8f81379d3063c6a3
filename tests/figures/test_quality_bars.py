"""Bars of map quality, with the lines of their targets."""

import pytest

from medgemma_dash.figures import QualityMeasure, quality_figure

NAN = float("nan")
BORDER = QualityMeasure(
    "Border", "good ≤ 5%", 0.05, 0.1, 0.23, 0.3, (0.02, 0.5, NAN), ("2%", "50%", "–"),
    ("good", "poor", None),
)  # fmt: skip
LEFT = QualityMeasure("Left", "no target", None, None, 0.5, 1.0, (0.1, 0.9, NAN),
                      ("10%", "90%", "–"), (None, None, None))  # fmt: skip


def test_every_measure_has_its_bars_numbers_and_lines() -> None:
    figure = quality_figure(["Yes", "<b>", "no"], [BORDER, LEFT], dark=False)
    border, left = figure.data
    assert border.x == (0.02, 0.3, None)  # never beyond the axis; the number says how far
    assert left.x == (0.1, 0.9, None)
    assert border.hovertext[1] == "<b>&lt;b&gt;</b><br>Border 50%, poor"
    assert border.marker.color[0] != border.marker.color[1] != left.marker.color[0]
    # Marks are told without colour too.
    assert border.marker.pattern.shape == ("", "x", "")
    texts = [note.text for note in figure.layout.annotations]
    assert [text for text in texts if "%" in text and "<" not in text] == [
        "● 2%", "○ 50%", "10%", "90%",
    ]  # fmt: skip
    lines = [(line.xref, line.x0, line.line.dash) for line in figure.layout.shapes]
    assert lines == [
        ("x", 0.23, "dot"), ("x", 0.1, "dash"), ("x", 0.05, None), ("x2", 0.5, "dot"),
    ]  # fmt: skip
    assert figure.layout.yaxis.showticklabels
    assert not figure.layout.yaxis2.showticklabels


def test_in_one_column_every_measure_names_its_maps() -> None:
    figure = quality_figure(["Yes", "no", "a"], [BORDER, LEFT], columns=1)
    assert figure.layout.yaxis2.showticklabels
    assert figure.layout.yaxis2.domain[1] < figure.layout.yaxis.domain[0]
    long = quality_figure(["pneumothorax, image 2 (forced)", "b", "c"], [LEFT])
    assert long.layout.yaxis.ticktext[0] == "pneumotho…age 2 (forced)"
    with pytest.raises(ValueError, match="these 1"):
        quality_figure(["Yes"], [BORDER])
