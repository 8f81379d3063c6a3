"""Layer bars and prompt words."""

import numpy as np
import pytest

from medgemma_dash.figures import WordRelevance, layer_figure, number, plain, prompt_words_figure
from medgemma_dash.figures.palette import DARK, LIGHT

SHARES = np.linspace(0.05, 0.6, 12).astype(np.float32)
GLOBAL = [index % 6 == 5 for index in range(12)]


@pytest.mark.parametrize("dark", [True, False])
def test_global_layers_alone_wear_the_accent_and_the_legend_says_so(dark):
    figure = layer_figure(SHARES, GLOBAL, dark)
    accent = (DARK if dark else LIGHT).accent
    assert [colour == accent for colour in figure.data[0].marker.color] == GLOBAL
    assert "global layers" in figure.layout.annotations[0].text


def test_a_model_without_global_layers_has_no_legend():
    assert not layer_figure(SHARES[:2], [False, False]).layout.annotations


def test_layer_hover_gives_number_kind_and_share():
    assert layer_figure(SHARES, GLOBAL).data[0].hovertext[11] == (
        "layer 11 · global<br><b>60.0%</b> of its attention on the image"
    )


def test_hover_says_what_the_shares_are_shares_of():
    figure = layer_figure(SHARES, GLOBAL, measure="of what all layers read there")
    assert figure.data[0].hovertext[0].endswith("<b>5.0%</b> of what all layers read there")


def test_the_highest_layers_are_named_by_their_numbers():
    shares = np.array([0.1, 0.5, 0.2, 0.5, 0.3], np.float32)
    figure = layer_figure(shares, [False] * 5, named=3)
    assert list(figure.data[0].text) == ["", "<b>1</b>", "", "<b>3</b>", "<b>4</b>"]


def test_thirty_four_layers_number_first_last_and_global_ones():
    figure = layer_figure(np.full(34, 0.1, np.float32), [i % 6 == 5 for i in range(34)])
    assert list(figure.layout.xaxis.tickvals) == [0, 5, 11, 17, 23, 29, 33]


def test_shares_and_kinds_must_pair():
    with pytest.raises(ValueError, match="12 layer shares, but 3"):
        layer_figure(SHARES, [True, False, False])


def test_words_keep_their_order_and_say_where_they_stand():
    figure = prompt_words_figure([WordRelevance("one", 2.0), WordRelevance("two", 1.0, "answer")])
    one, two = figure.layout.yaxis.ticktext
    assert one == "one"
    assert two.startswith("two")
    assert "answer" in two
    assert figure.layout.yaxis.range == (1.5, -0.5)


def test_shares_of_words_are_percents_of_what_is_named():
    words = [WordRelevance("one", 0.052), WordRelevance("two", 0.0001)]
    figure = prompt_words_figure(words, share_of="of its attention")
    assert [one.text for one in figure.layout.annotations] == ["5.2%", "< 0.1%"]
    assert figure.data[0].hovertext[0].endswith("5.2% of its attention")


def test_words_are_never_markup():
    figure = prompt_words_figure([WordRelevance("<b>x</b>", 1.0)])
    assert figure.layout.yaxis.ticktext[0] == "&lt;b&gt;x&lt;/b&gt;"
    assert "&lt;b&gt;x" in figure.data[0].hovertext[0]


def test_no_words_is_a_figure_too():
    assert prompt_words_figure([]).layout.height > 0


def test_control_characters_and_line_breaks_do_not_survive_in_labels():
    assert plain("a\u202e\nb\t\x00c") == "a b c"
    assert plain("x" * 50, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.01, "0.0100"),
        (-0.006, "-0.00600"),
        (3.1e-6, "3.10e-6"),
        (1.25, "1.25"),
        (float("nan"), "–"),
        (12345.0, "1.23e4"),
        (2.8e-5, "2.80e-5"),
        (0.0002134, "2.13e-4"),
        (0.00123, "0.00123"),
        (0.0009999, "0.00100"),
        (999.6, "1.00e3"),
        (0.9996, "1.00"),
    ],
)
def test_numbers_are_short(value, text):
    assert number(value) == text
