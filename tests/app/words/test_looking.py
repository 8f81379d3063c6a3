"""What the Target Words page looks for, what it says of it, and what it keeps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import MethodError
from medgemma_dash.services.words.run import words_plan
from medgemma_dash.services.words.tasks import WORDS
from medgemma_dash.ui.pages.words.asking import MISSING
from medgemma_dash.ui.pages.words.state import METHOD, TYPED, WHERE
from medgemma_dash.ui.state.samples import samples
from medgemma_dash.ui.state.session import ASK, QUESTION
from tests.app.browser_events import actions_of, choose_action, choose_words, lines_of
from tests.app.opened import answered_of, figure, session_of, wait_for
from tests.app.words.finding import Finding
from tests.app.words.words_page import is_on_page, look_in, titles_of, type_words

OpenPage = Callable[[], AppTest]
Settle = Callable[[AppTest], AppTest]
FIRST = ["Yes", "consolidation", "right", "lower", "zone"]


def test_it_opens_with_the_answers_content_words_and_runs_the_commands_plan(
    open_words: OpenPage, finding: Finding
) -> None:
    app = open_words()
    answer = answered_of(app).answer
    assert finding.plans == [words_plan(answer, FIRST)]  # all that the command leaves to defaults
    assert app.text_input(key=TYPED).value == ", ".join(FIRST)
    assert titles_of(app) == FIRST
    assert is_on_page(app, "words_quality")
    # The fake model's row for each word lies in the upper half of the picture.
    assert lines_of(app, "words_say") == [
        "'Yes' and 'consolidation': mostly the image's upper third. 'right', 'lower' and 'zone': "
        "mostly the image's middle third."
    ]
    assert lines_of(app, "words_standing") == [
        "In the answer, each word with its probability:  Yes (0.90), there is consolidation (0.90) "
        "in the right (0.90) lower (0.90) zone (0.90)."
    ]
    texts = [one["text"] for one in figure(app, "words_quality")["layout"]["annotations"]]
    assert "good ≥ 70%, acceptable ≥ 50%" in texts[0]
    assert sum(text[0] in "●◐○" for text in texts) == 4 * len(FIRST)


def test_words_that_are_not_there_are_told_and_the_others_are_looked_for(
    open_words: OpenPage, finding: Finding
) -> None:
    app = open_words()
    type_words(app, "right, effusion; “pneumonia”, RIGHT, a b c d e f")
    assert titles_of(app) == ["right"]
    told = lines_of(app, MISSING)
    assert [line.split(" ")[0] for line in told] == ["'effusion'", "'pneumonia'", "'RIGHT'", "'a"]
    assert told[0].endswith("force it into the answer")
    assert told[1].endswith("look in the prompt")
    assert "twice" in told[2]
    assert "6 words long" in told[3]
    assert actions_of(app, MISSING) == ["forced", "prompt"]
    choose_action(app, MISSING, "prompt")
    assert app.session_state[WHERE] == ["answer", "prompt"]
    assert titles_of(app.run()) == ["right (answer)", "pneumonia (prompt)"]
    type_words(app, "right, effusion")
    choose_action(app, MISSING, "forced")
    assert titles_of(app.run()) == ["right (answer)", "right (forced)", "effusion (forced)"]
    assert lines_of(app, MISSING) == []
    assert finding.plans[-1].places == ("answer", "prompt", "forced")
    assert lines_of(app, "words_standing")[-1] == (
        "Forced, with its probability:  Yes, thereeffusion (1.2e-04) hardly ever said here: its "
        "map tells little of the model"
    )


def test_a_forced_word_can_be_put_behind_any_word(open_words: OpenPage, finding: Finding) -> None:
    app = look_in(type_words(open_words(), "effusion"), "forced")
    (after,) = (one for one in app.selectbox if one.label == "Forced")
    assert finding.plans[-1].forced_after is None
    after.set_value(after.options.index("behind “…Yes, there”") and 3).run()
    assert finding.plans[-1].forced_after == 3
    assert not app.exception


def test_without_words_or_places_it_says_what_to_do_and_keeps_the_maps(
    open_words: OpenPage, finding: Finding
) -> None:
    app = type_words(open_words(), " , ;")
    assert lines_of(app, "words_nothing") == ["Type a word, or click one of the answer."]
    assert titles_of(app) == FIRST
    type_words(look_in(app), "right")
    assert lines_of(app, "words_nothing") == ["Choose a place to look in."]
    assert len(finding.plans) == 1


def test_a_clicked_word_is_added_to_the_box(open_words: OpenPage, finding: Finding) -> None:
    app = type_words(open_words(), "zone")
    choose_words(app, 5, 7, strip="words_strip")
    assert app.text_input(key=TYPED).value == "zone, in the"
    assert titles_of(app) == ["zone", "in the"]
    # One that is there already, one that is no phrase, and one that was taken out again.
    choose_words(app, 9, 10, strip="words_strip")
    choose_words(app, 0, 12, whole=True, strip="words_strip")
    assert app.text_input(key=TYPED).value == "zone, in the"
    type_words(app, "zone")
    app.run()
    assert titles_of(app) == ["zone"]
    look_in(type_words(app, "pneumonia"), "prompt")
    choose_words(app, 7, 8, strip="words_strip")
    assert finding.plans[-1].words == ("pneumonia", "right")
    assert finding.plans[-1].places == ("answer", "prompt")


def test_nothing_is_looked_for_twice_and_words_of_ones_own_stay_for_the_next_answer(
    open_words: OpenPage, settle: Settle, finding: Finding
) -> None:
    app = open_words()
    type_words(app, "right")
    type_words(app, ", ".join(FIRST))
    app.switch_page("pages/9_Methods.py").run()
    app.switch_page("pages/5_Target_Words.py").run()
    assert titles_of(app) == FIRST
    assert len(finding.plans) == 2

    def ask(question: str) -> None:
        app.switch_page("pages/1_Explain.py").run()
        app.text_input(key=QUESTION).set_value(question)
        app.button(key=ASK).click().run()
        settle(app)
        settle(app.switch_page("pages/5_Target_Words.py").run())

    ask("Is the heart enlarged?")
    assert app.text_input(key=TYPED).value == ", ".join(FIRST)
    type_words(app, "lower zone")
    ask(samples()[0].question)
    assert app.text_input(key=TYPED).value == "lower zone"
    assert titles_of(app) == ["lower zone"]


def test_what_fails_or_is_stopped_leaves_the_maps_before_it(
    open_words: OpenPage, finding: Finding
) -> None:
    app = open_words()
    finding.failure = MethodError("No gradient.")
    type_words(app, "right")
    assert lines_of(app, "words_problem") == ["No gradient. look again"]
    assert lines_of(app, "words_before") == ["Below: what was looked for before."]
    assert titles_of(app) == FIRST
    finding.failure = None
    finding.gate.clear()
    choose_action(app, "words_problem", "again")
    finding.wait_for(3)
    app.run()
    assert lines_of(app, "cancel_words")[0].startswith("Looking for the words in the image")
    assert titles_of(app) == FIRST
    jobs = session_of(app).jobs.unfinished()
    choose_action(app, "cancel_words", "cancel")
    wait_for(jobs)
    app.run()
    assert lines_of(app, "words_problem") == ["This was stopped on request. look again"]
    finding.gate.set()
    choose_action(app, "words_problem", "again")
    assert titles_of(app.run()) == ["right"]
    assert WORDS not in session_of(app).jobs


def test_the_method_that_made_a_map_is_named_and_why_others_made_none(
    open_words: OpenPage, finding: Finding
) -> None:
    app = open_words()
    finding.mapless = ("zone",)
    app.session_state[METHOD] = "chain"
    app.run()
    assert finding.plans[-1].method == "chain"
    assert titles_of(app) == FIRST
    labels = [one["text"] for one in figure(app, "words_maps")["layout"]["annotations"]]
    assert sum("activation_norm" in text for text in labels) == 4
    assert "no map" in labels
    # No map is drawn for it, and nothing even in its place.
    assert len(figure(app, "words_quality")["data"][0]["x"]) == 4
    failed = lines_of(app, "words_failed")
    assert failed[0] == (
        "gradcam_multi made no map of 'Yes', 'consolidation', 'right' and 'lower'. The word is a "
        "single token."
    )
    assert failed[-1] == "activation_norm made no map of 'zone'. It found nothing."
    assert "'zone'" not in "".join(lines_of(app, "words_say"))


@pytest.mark.parametrize("method", ["occlusion", "random"])
def test_any_method_of_the_command_can_be_chosen(
    open_words: OpenPage, finding: Finding, method: str
) -> None:
    app = open_words()
    app.session_state[METHOD] = method
    app.run()
    assert finding.plans[-1] == words_plan(answered_of(app).answer, FIRST, method=method)
