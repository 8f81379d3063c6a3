"""The film at a step of a curve, and what the model answers to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.core.target import Target
from medgemma_dash.figures import MapPanel, comparison_figure, map_grid_figure
from medgemma_dash.imaging import jpeg_bytes
from medgemma_dash.regions import shown_laterality
from medgemma_dash.services.faithfulness.look import Step, masked_picture
from medgemma_dash.services.faithfulness.plan import REMOVALS
from medgemma_dash.services.faithfulness.reading import digits
from medgemma_dash.services.faithfulness.tasks import look_task
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.job_watch import result_of
from medgemma_dash.ui.components.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.window_width import window_width
from medgemma_dash.ui.components.wording import quoted
from medgemma_dash.ui.pages.faithfulness.state import PART, FaithfulnessState
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.ui.components.window_width import WindowWidth
    from medgemma_dash.ui.pages.faithfulness.shown import Live, Shown
    from medgemma_dash.ui.state.study import Study

SIDE_PX = 420
# (columns, height of a panel)
PANELS: dict[WindowWidth, tuple[int, int]] = {
    "wide": (2, 250),
    "medium": (2, 330),
    "narrow": (2, 165),
}


def masked_film(shown: Shown, step: Step) -> None:
    """Draw the map and the film with its cells removed; below, what the model says there."""
    film = shown.film
    if film is None:
        _without_film(shown, step)
    else:
        _films(shown, film, step)
    rich_line(_meaning(shown.record, step), key="masked_meaning", tone="quiet")
    if shown.live is None:
        line = "A record of a file has no model to ask: what it answers there is not shown."
        rich_line([[Segment(line, "quiet")]], key="masked_answer")
    else:
        _answer(shown.record, shown.live, step)


def step_words(step: Step) -> str:
    """For example "20% removed"."""
    return f"{step.share:.0%} {'removed' if step.curve == 'deletion' else 'kept'}"


def _films(shown: Shown, study: Study, step: Step) -> None:
    radiograph, image = study.radiograph, shown.record.maps[step.method]
    title = shown.titles[step.method]
    display = chosen_display()

    def panel(title: str, jpeg: bytes, *, map_: bool) -> MapPanel:
        return MapPanel(
            title=title,
            radiograph_jpeg=jpeg,
            width=radiograph.width,
            height=radiograph.height,
            grid=(image.shape[0], image.shape[1]),
            image_map=image if map_ else None,
            bare=not map_,
            signed=bool((image < 0).any()),
            laterality=str(shown_laterality(radiograph)),
        )

    columns, panel_px = PANELS[window_width()]
    masked = masked_picture(radiograph.pixels, shown.record, step)
    figure = comparison_figure(
        [
            panel(title, displayed_jpeg(study, SIDE_PX), map_=True),
            panel(step_words(step), jpeg_bytes(masked, longest_side=SIDE_PX), map_=False),
        ],
        columns=columns,
        mode=display.mode,
        opacity=display.opacity,
        threshold=display.threshold,
        colour_scale=display.colour_scale,
        revision=radiograph.sha256,
        dark=is_dark(),
        panel_px=panel_px,
        tools=False,
    )
    chart(
        figure,
        key="masked_film",
        alt=f"The map of {title} over the radiograph, and the radiograph with {step_words(step)} "
        f"by {step.removal}.",
        about=[*shown.about, ("Removal", step.removal)],
    )


def _without_film(shown: Shown, step: Step) -> None:
    chart(
        map_grid_figure(
            [shown.record.maps[step.method]],
            [shown.titles[step.method]],
            signed=bool((shown.record.maps[step.method] < 0).any()),
            dark=is_dark(),
        ),
        key="masked_film",
        alt=f"The map of {shown.titles[step.method]}, cell by cell.",
        about=shown.about,
    )
    line = "The film that this is about is not open here: its map stands without it."
    rich_line([[Segment(line, "quiet")]], key="no_film")


def _meaning(record: Record, step: Step) -> list[list[Segment]]:
    """What the picture is to the model, and what the target's probability is there."""
    curves = record.tables["curves"]
    at = curves[
        (curves["removal"] == step.removal)
        & (curves["curve"] == step.curve)
        & (curves["share"] == step.share)
    ]
    own = float(at.loc[at["method"] == step.method, "probability"].iloc[0])
    random = at.loc[at["kind"] == "random", "probability"]
    seen = (
        "The model is shown this picture."
        if REMOVALS[step.removal] == "pixels"
        else "The soft tokens of the covered cells are replaced; there is no such picture."
    )
    return [
        [
            Segment(
                f"{step_words(step)} by {step.removal}: p is {digits(own)}; random rankings "
                f"{digits(random.mean())} ({digits(random.min())} to {digits(random.max())}). "
                f"{seen}"
            )
        ]
    ]


def _answer(record: Record, live: Live, step: Step) -> None:
    state, about = page_state(FaithfulnessState), (live.wanted.target, step)
    if about not in state.answers:
        found = result_of(
            live.host,
            look_task(live.answer, record, step),
            (live.answer.key, *about),
            again="ask again",
            problem="masked_problem",
            part=PART,
        )
        if found is None:
            return
        state.answers[about] = found
    said = state.answers[about]
    if said.same:
        line = [Segment("The model answers as before: "), Segment(f"“{said.text}”", "word")]
    else:
        line = [
            Segment("The model now answers "),
            Segment(f"“{said.text}{'…' if said.cut_off else ''}”", "word"),
            Segment(f" in place of “{quoted(live.answer.text)}”."),
        ]
    lines = [line]
    if not said.same and (held := _held(live)):
        lines.append([Segment(held, "small")])
    rich_line(lines, key="masked_answer")


def _held(live: Live) -> str:
    """Why a word may stay probable where the answer is another one; "" of the answer's first."""
    target = live.wanted.target
    if not isinstance(target, Target) or target.kind == "answer" or not target.token_indices[0]:
        return ""
    before = "".join(token.text for token in live.answer.tokens[: target.token_indices[0]])
    words = quoted(target.text)
    return f"p is that of “{words}” after “{quoted(before)}”, whatever the model now begins with."
