"""What a notebook gives, checked, and its maps as panels over their films."""

from collections.abc import Sequence

from medgemma_dash.core.errors import NoExplanationError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.token_words import readable
from medgemma_dash.figures import MapPanel
from medgemma_dash.imaging import jpeg_bytes
from medgemma_dash.methods import get
from medgemma_dash.regions import shown_laterality

JPEG_PX = 600


def several(given: Sequence[Explanation] | Explanation) -> tuple[Explanation, ...]:
    """What was given as explanations; callers in notebooks may give anything."""
    explanations = (given,) if isinstance(given, Explanation) else tuple(given)
    if not explanations:
        raise NoExplanationError("There is no explanation to show. Give one or more of explain().")
    for one in explanations:
        if not isinstance(one, Explanation):
            raise NoExplanationError(
                f"Explanations are shown, not {type(one).__name__}. Give what explain() returned."
            )
    return explanations


def film_of(explanation: Explanation) -> Radiograph:
    if explanation.radiograph is None:
        raise ValueError(
            "This explanation has no radiograph at hand; it was read from a table. "
            "Give it one for each image with dataclasses.replace(explanation, radiographs=(...,))."
        )
    return explanation.radiograph


def panels_of(explanation: Explanation, title: str) -> list[MapPanel]:
    """One for each image; those of one explanation share its scale."""
    film_of(explanation)
    images = explanation.images
    shown = zip(images, explanation.radiographs, explanation.image_names, strict=True)
    return [
        MapPanel(
            title=named(title, name),
            radiograph_jpeg=jpeg_bytes(radiograph.pixels, longest_side=JPEG_PX),
            width=radiograph.width,
            height=radiograph.height,
            grid=(image.shape[0], image.shape[1]),
            image_map=image,
            signed=explanation.signed,
            caption=readable(explanation.target.text),
            laterality=str(shown_laterality(radiograph)),
            beside=(*images[:place], *images[place + 1 :]),
        )
        for place, (image, radiograph, name) in enumerate(shown)
    ]


def named(title: str, image_name: str) -> str:
    return ", ".join(part for part in (title, image_name) if part)


def grids(explanation: Explanation) -> list[tuple[int, ...]]:
    return [image.shape for image in explanation.images]


def grid(explanation: Explanation) -> tuple[int, int]:
    return explanation.image.shape[0], explanation.image.shape[1]


def titles_of(explanations: Sequence[Explanation]) -> list[str]:
    """The methods' titles; numbered where a method comes more than once."""
    titles: list[str] = []
    for one in explanations:
        title = get(one.method).spec.title
        same = sum(known.partition(" #")[0] == title for known in titles)
        titles.append(f"{title} #{same + 1}" if same else title)
    return titles
