"""What the Layers page draws, and for which head, patch or token."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.figures import palette
from medgemma_dash.ui.pages.layers.state import LayersState
from tests.app.browser_events import choose_cells, click_head, click_patch, lines_of
from tests.app.layers.layers_page import drawn, open_tab
from tests.app.layers.looking import STRONGEST, Looking
from tests.app.opened import answered_of, figure, session_of


def test_it_opens_with_the_layers_and_heads_behind_the_answered_samples_word(
    open_layers: Callable[[], AppTest], looking: Looking
) -> None:
    app = open_layers()
    assert [target.text for target in looking.looked] == [" consolidation"]
    assert drawn(app) == {
        "layers_bars",
        "head_matrix",
        "head_maps",
        "gathered_map",
        "gathered_maps",
    }
    # The layer whose heads moved the logit most is the one that opens.
    assert any(f"Heads of layer {STRONGEST}," in one.value for one in app.caption)
    highest = next(one.value for one in app.caption if "highest in layer" in one.value)
    assert highest.endswith(f"highest in layer {STRONGEST} (77%), then 0, 1, 2, 3")
    assert figure(app, "layers_bars")["data"][0]["text"][STRONGEST] == f"<b>{STRONGEST}</b>"


def test_the_head_that_was_clicked_is_framed(open_layers: Callable[[], AppTest]) -> None:
    app = open_layers()

    def shown() -> tuple[float, float]:
        """The head that is framed, of the layer that slider, text and maps tell as well."""
        _, frame = figure(app, "head_matrix")["layout"]["shapes"]
        layer, head = frame["x0"] + 0.5, frame["y0"] + 0.5
        (slider,) = (one for one in app.select_slider if one.label == "Layer")
        assert slider.value == layer
        assert any(f"Heads of layer {layer:g}," in one.value for one in app.caption)
        titles = [
            one
            for one in figure(app, "head_maps")["layout"]["annotations"]
            if one["text"].startswith("<b>head ")
        ]
        (chosen,) = (one for one in titles if one["font"]["color"] == palette(dark=True).accent)
        assert f"<b>head {head:g}</b>" in chosen["text"]
        return layer, head

    strongest = shown()
    assert strongest[0] == STRONGEST
    for cell in ((0, 0), (0, 1), (9, 2)):
        click_head(app, *cell)
        assert shown() == cell
        app.run()
        assert shown() == cell
    app.select_slider[0].set_value(STRONGEST).run()
    assert shown() == strongest
    # What the browser says of cells that are none.
    for cell in ((12, 0), (0, 8), (-1, 0)):
        click_head(app, *cell)
        assert shown() == strongest


def test_a_click_wins_over_what_the_browser_still_says_of_the_slider(
    open_layers: Callable[[], AppTest],
) -> None:
    app = open_layers()
    click_head(app, 9, 2)
    # The browser was not told of layer 9 before the next click: it reports the slider as it was.
    stale = app._tree.get_widget_states()
    click_head(app, 3, 1)
    app._run(stale)
    _, frame = figure(app, "head_matrix")["layout"]["shapes"]
    assert (frame["x0"] + 0.5, frame["y0"] + 0.5) == (3, 1)
    assert app.select_slider[0].value == 3


def test_a_click_chooses_a_patch_and_a_box_several(open_layers: Callable[[], AppTest]) -> None:
    app = open_layers()
    app.session_state["layers_tabs"] = "Patch to words"
    app.run()

    def chosen() -> set[tuple[float, float]]:
        shapes = figure(app, "patch_figure")["layout"].get("shapes", [])
        return {(one["x0"], one["y0"]) for one in shapes}

    click_patch(app, 3, 4, "patch_clicks")
    assert len(chosen()) == 1
    choose_cells(app, [(3, 4), (3, 5)], "patch_figure")
    assert len(chosen()) == 2
    click_patch(app, 8, 8, "patch_clicks")
    assert len(chosen()) == 1
    click_patch(app, 8, 8, "patch_clicks")
    assert chosen() == set()


def test_the_chosen_word_is_preselected_and_the_page_says_which_row_it_shows(
    open_layers: Callable[[], AppTest], looking: Looking
) -> None:
    app = open_tab(open_layers(), "Attention of any token")
    target = answered_of(app).target
    assert target is not None
    token = answered_of(app).answer.tokens[target.token_indices[0]]
    picker = next(one for one in app.selectbox if one.label == "Token")
    assert picker.value == token.position
    assert lines_of(app, "attention_why")[0].startswith(f"The model chose {token.text.strip()} at")
    assert looking.read == [token.position - 1]
    app.session_state["attention_when"] = "once it was read"
    app.run()
    assert looking.read == [token.position - 1, token.position]
    assert f"from {token.text.strip()} itself" in lines_of(app, "attention_why")[0]


def test_an_image_patch_can_be_the_token_that_attends(
    open_layers: Callable[[], AppTest], looking: Looking
) -> None:
    app = open_tab(open_layers(), "Attention of any token")
    app.session_state["attention_source"] = "an image patch"
    app.run()
    start = answered_of(app).answer.image_span[0]
    # It begins at the patch on which the word leans most.
    assert looking.read[-1] == start + 3 * 16 + 5
    app.number_input[0].set_value(15)
    app.number_input[1].set_value(2).run()
    assert looking.read[-1] == start + 15 * 16 + 2
    frames = figure(app, "attention_map")["layout"]["shapes"]
    # The peak's and the patch's own.
    assert len({(one["x0"], one["y0"]) for one in frames}) == 2


def test_patches_lead_to_words_and_to_layers_that_say_what_they_read(
    open_layers: Callable[[], AppTest],
) -> None:
    app = open_layers()
    # The fake model's chosen word leans on this row.
    session_of(app).page_state(LayersState).cells = ((4, 4), (4, 5))
    open_tab(app, "Patch to words")
    assert figure(app, "patch_words")["data"][0]["x"] == pytest.approx([2 / 16])
    hover = figure(app, "patch_layers")["data"][0]["hovertext"][0]
    assert hover.endswith("of what all layers read on these patches")
