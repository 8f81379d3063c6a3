"""The Step by Step page's numbers: the way to a token's map, and the common mistakes on it."""

from typing import Any

from medgemma_dash.core.answer import Answer
from medgemma_dash.figures import MapPanel, comparison_figure
from medgemma_dash.imaging import jpeg_bytes
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.regions import shown_laterality
from medgemma_dash.services.explaining.targets import choose_target
from medgemma_dash.services.pipeline import run, sentences
from medgemma_dash.services.pipeline.view import Mistake, PipelineView

JPEG_PX = 400


def pipeline_view(
    model: VisionLanguageModel, answer: Answer, *, token: int, against: str | None = None
) -> PipelineView:
    """Everything between the answer and the map of one of its tokens; see `PipelineView`.

    against: this token rather than that one. Raises TargetError for a token that is not in the
    answer, and NoExplanationError where the map is empty.
    """
    target = choose_target(model, answer, token=token, against=against)
    return run.pipeline_view(model, answer, target)


def mistakes(view: PipelineView, answer: Answer, *, dark: bool = False) -> Any:
    """The right map, and that of each mistake, over the current image and on one scale."""
    shown = [("Right", "", view.image_map)]
    shown += [
        (sentences.TITLES[one.name], f"JS {one.divergence.value:.2f}", one.image_map)
        for one in view.mistakes
    ]
    image = answer.images[-1]
    panels = [
        MapPanel(
            title=title,
            radiograph_jpeg=jpeg_bytes(image.radiograph.pixels, longest_side=JPEG_PX),
            width=image.radiograph.width,
            height=image.radiograph.height,
            grid=image.grid,
            image_map=found if found.any() else None,
            caption=caption,
            reason="empty",
            laterality=str(shown_laterality(image.radiograph)),
        )
        for title, caption, found in shown
    ]
    return comparison_figure(panels, scale="shared", linked_hover=False, panel_px=240, dark=dark)


def mistake_said(mistake: Mistake, answer: Answer, view: PipelineView) -> str:
    """What a mistake is, what it changed, and how far its map is from the right one."""
    said = sentences.mistake_sentence(mistake, answer, view)
    return f"{sentences.TITLES[mistake.name]}. {said} {sentences.distance_sentence(mistake)}"
