"""What the Step by Step page draws at each step, and what it does not compute twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import NoExplanationError
from medgemma_dash.core.target import Target
from medgemma_dash.services.pipeline import tasks
from medgemma_dash.services.pipeline.sentences import TITLES
from medgemma_dash.ui.components.picker import OPENER
from medgemma_dash.ui.pages.steps.state import GATHERED, HEAD, LAYER, STEP
from medgemma_dash.ui.state.samples import DRAWN_NOTICE, drawn_pictures, samples
from tests.app.browser_events import choose_action, choose_words, lines_of
from tests.app.layers.looking import STRONGEST
from tests.app.opened import answered_of, charts, figure, session_of, study_of, wait_for
from tests.app.steps.walking import Walking

OpenPage = Callable[[], AppTest]

PICTURES = [
    {"steps_beside"},
    {"steps_generation", "steps_beside"},
    {"steps_replay", "steps_beside"},
    {"steps_target", "steps_beside"},
    {"steps_attention", "steps_beside"},
    {"steps_row", "steps_row_shares", "steps_beside"},
    {"steps_map", "steps_beside"},
]


def go_to(app: AppTest, step: int) -> AppTest:
    app.radio(key=STEP).set_value(step).run()
    assert not app.exception
    return app


def drawn(app: AppTest) -> set[str]:
    return set(charts(app))


def titled(app: AppTest) -> list[str]:
    """The maps beside each other, by their titles."""
    texts = (str(one.get("text")) for one in figure(app, "steps_beside")["layout"]["annotations"])
    return [found[1] for text in texts if (found := re.match(r"<b>(\w\w.*?)</b>", text))]


def places(app: AppTest) -> list[dict[str, Any]]:
    (strip,) = (one for one in app.get("bidi_component") if one.key == "sequence")
    found: list[dict[str, Any]] = json.loads(strip.proto.json)["places"]
    return found


def test_each_step_has_its_picture_its_sentence_and_the_mistake_beside_it(
    open_steps: OpenPage, walking: Walking
) -> None:
    app = open_steps()
    assert [target.text for target in walking.walked] == [" consolidation"]
    assert titled(app) == ["Right", TITLES["doubled_bos"]]
    for step, pictures in enumerate(PICTURES):
        go_to(app, step)
        assert drawn(app) == pictures, step
        (said,) = lines_of(app, "steps_said")
        assert said.startswith(f"{step + 1}  ")
        assert lines_of(app, "steps_mistake")
    # All four mistakes beside the right map at the end.
    assert titled(app) == ["Right", *TITLES.values()]
    assert len(walking.walked) == 1


def test_the_sequence_is_the_models_own_with_p_marked_and_the_image_folded(
    open_steps: OpenPage,
) -> None:
    app = open_steps()
    answer = answered_of(app).answer
    shown = places(app)
    start, stop = answer.image_span
    assert [one["start"] for one in shown] == [
        *range(start + 1),
        *range(stop, len(answer.input_ids)),
    ]
    assert [one["stop"] for one in shown if one["part"] == "image"] == [stop]
    marked = {one["mark"]: one["start"] for one in shown if one["mark"]}
    assert marked == {"p-1": answer.tokens[4].position - 1, "p": answer.tokens[4].position}
    texts = [one["text"] for one in shown if one["part"] != "image"]
    assert texts == [text for text in answer.piece_texts if text] + [""]  # the end has no text
    wrong = [one["start"] for one in places(go_to(app, 3)) if one["wrong"]]
    assert wrong == [len(answer.input_ids) - 1]
    # From the attention on, by where r lies: all of it is on the image here.
    (image,) = (one for one in places(go_to(app, 6)) if one["part"] == "image")
    assert image["value"] == pytest.approx(1)


def test_what_a_model_wrote_is_text_wherever_it_stands(open_steps: OpenPage) -> None:
    app = go_to(open_steps(), 2)
    mistake = lines_of(app, "steps_mistake")[0]
    assert "“<b>left</b>” in place of “right”" in mistake
    go_to(app, 3)
    labels = figure(app, "steps_target")["layout"]["yaxis"]["ticktext"]
    assert labels == ["consolidation", "*a*"]
    assert not any("<b>left" in one.value or "*a*" in one.value for one in app.markdown)


def test_layer_and_head_begin_with_the_strongest_and_stay_when_words_change(
    open_steps: OpenPage,
) -> None:
    app = go_to(open_steps(), 4)
    assert app.select_slider(key=LAYER).value == STRONGEST
    app.select_slider(key=LAYER).set_value(3).run()
    app.select_slider(key=HEAD).set_value(6).run()
    assert "Layer 3, head 6, row p-1" in lines_of(app, "steps_said")[0]
    choose_words(app, 7, 8, strip="steps_strip")
    app.run()
    assert (app.select_slider(key=LAYER).value, app.select_slider(key=HEAD).value) == (3, 6)


def test_the_bars_show_which_layers_are_folded_in(open_steps: OpenPage) -> None:
    app = go_to(open_steps(), 5)

    def pale() -> list[bool]:
        (bars,) = figure(app, "steps_row_shares")["data"]
        opacity = bars["marker"].get("opacity", [1] * len(bars["x"]))
        return [one < 1 for one in opacity]

    assert not any(pale())
    app.select_slider(key=GATHERED).set_value(3).run()
    assert pale() == [layer < 3 for layer in range(len(pale()))]


def test_a_word_of_several_tokens_is_gone_through_token_by_token(
    open_steps: OpenPage, walking: Walking
) -> None:
    app = open_steps()
    choose_words(app, 7, 10, strip="steps_strip")
    app.run()
    assert walking.walked[-1].token_indices == (7,)
    app.selectbox(key="steps_token_7_3").set_value(2).run()
    assert walking.walked[-1].token_indices == (9,)
    go_to(app, 6)
    assert (
        "The map of all that is chosen is the mean of its 3 tokens' maps."
        in lines_of(app, "steps_said")[0]
    )
    count = len(walking.walked)
    choose_words(app, 4, 5, strip="steps_strip")
    app.run()
    # Known from before.
    assert len(walking.walked) == count


def test_a_way_that_fails_or_is_stopped_says_so_and_can_be_gone_again(
    open_steps: OpenPage, walking: Walking
) -> None:
    walking.failure = NoExplanationError("There is no map to make.")
    app = open_steps()
    assert lines_of(app, "steps_error") == ["There is no map to make. go through them again"]
    walking.failure = None
    walking.gate.clear()
    choose_action(app, "steps_error", "again")
    app.run()
    jobs = session_of(app).jobs.unfinished()
    assert lines_of(app, f"cancel_{tasks.PIPELINE}")[0].startswith("Going through the steps")
    choose_action(app, f"cancel_{tasks.PIPELINE}", "cancel")
    wait_for(jobs)
    app.run()
    assert lines_of(app, "steps_error") == ["This was stopped on request. go through them again"]
    walking.gate.set()
    choose_action(app, "steps_error", "again")
    app.run()
    assert "steps_beside" in drawn(app)


def test_another_word_takes_the_place_of_one_under_way(
    open_steps: OpenPage, walking: Walking
) -> None:
    walking.gate.clear()
    app = open_steps()
    first = session_of(app).jobs.get(tasks.PIPELINE)
    assert first is not None
    answered_of(app).target = Target("token", (0,), "Yes")
    app.run()
    walking.wait_for(2)
    assert first.stopping or first.state == "cancelled"


@pytest.mark.parametrize("sample", drawn_pictures(), ids=lambda one: one.name)
def test_the_tutorials_pictures_are_opened_here_and_said_to_be_no_radiographs(
    open_steps: OpenPage, settle: Callable[[AppTest], AppTest], sample: Any
) -> None:
    app = open_steps()
    opened = session_of(app).opened
    # Offered in both menus, which may be open at once.
    app.session_state[f"tutorial_{opened}"] = app.session_state[f"{OPENER}_{opened}"] = True
    app.run()
    assert not app.exception
    assert app.button(key=f"switch_{sample.name}").label == sample.title
    app.button(key=f"tutorial_{sample.name}").click().run()
    settle(app)
    assert study_of(app).sample == sample.name
    assert lines_of(app, "drawn_picture") == [DRAWN_NOTICE]
    assert session_of(app).address["sample"] == sample.name
    assert study_of(app).radiograph.pixels.shape == (224, 224, 3)
    assert sample not in samples()
