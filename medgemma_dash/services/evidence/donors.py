"""Other radiographs, whose soft tokens take the place of the one that was asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.samples import shipped_films
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.prompting import preprocessed
from medgemma_dash.services.evidence.plan import FEWEST_DONORS


@dataclass(frozen=True)
class Donor:
    """A radiograph by its digest; a shipped one is read only where its soft tokens are not kept."""

    sha256: str
    source: Radiograph | Path

    def soft_tokens(self, model: VisionLanguageModel) -> Float[Tensor, "soft_tokens hidden"]:
        """Its soft tokens, kept with the model; the caller holds the model's lock."""

        def encode() -> Tensor:
            source = self.source
            radiograph = load_radiograph(source) if isinstance(source, Path) else source
            return model.encode_pixels(preprocessed(model, radiograph))

        return model.keep_of_image(self.sha256, encode)


def donors_for(answer: Answer, named: Sequence[Radiograph] | None = None) -> tuple[Donor, ...]:
    """The radiographs that were named, or the first shipped samples; none that the answer is about.

    Raises ImageError when fewer than five are left.
    """
    shown = {image.radiograph.sha256 for image in answer.images}
    if named is None:
        given = tuple(Donor(film.sha256, film.path) for film in shipped_films())
    else:
        given = tuple(Donor(one.sha256, one) for one in named)
    others = tuple({donor.sha256: donor for donor in given if donor.sha256 not in shown}.values())
    if len(others) < FEWEST_DONORS:
        raise ImageError(
            f"{len(others)} other radiographs are at hand to be swapped in; at least "
            f"{FEWEST_DONORS} different ones are needed, none of them the one that was asked about."
        )
    return others[:FEWEST_DONORS] if named is None else others
