"""Why the model said something, by one method."""

from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.target import Target, target_from_dict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class EarlierImage:
    """An image that the model was given in front of the current one; see `AnswerImage`."""

    sha256: str
    span: tuple[int, int]
    grid: tuple[int, int]


@dataclass(frozen=True)
class Provenance:
    """Everything needed to compute an explanation again. Holds no pixels and no file name.

    image_sha256, image_span: of the current image, the last one.
    earlier_images: those in front of it, in order; none where the answer is about one image.
    """

    model_name: str
    model_revision: str
    is_demo: bool
    device: str
    dtype: str
    image_sha256: str
    prompt: str
    token_ids: tuple[int, ...]
    prompt_length: int
    image_span: tuple[int, int]
    method: str
    settings: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    seconds: float
    earlier_images: tuple[EarlierImage, ...] = ()

    @property
    def image_sha256s(self) -> tuple[str, ...]:
        """Of all images, in order."""
        return (*(image.sha256 for image in self.earlier_images), self.image_sha256)

    def facts(self) -> dict[str, Any]:
        """As a dictionary, in which `earlier_images` stands only where there are any."""
        facts = asdict(self)
        if not self.earlier_images:
            del facts["earlier_images"]
        return facts


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why the model said the target, by one method.

    images: one map for each image that the model was given, in order: float32 (rows, cols), raw
        relevance of each soft token, not normalised. `image` is the last, the current one.
    row: float32 (S,), relevance of every position; self-relevance removed, and zero after
        the position that predicted the target.
    layers: float32 (L,), share of attention, mean over heads, that the predicting position
        gives to the soft tokens in each decoder layer.
    signed: whether negative values mean evidence against.
    radiographs: one for each map, for drawing; none when only the numbers are at hand.
    completeness_gap: for a method that promises completeness, what the row sums to less the
        difference in logits that it should sum to; None for all others.
    fine_images: of methods that see the vision tower's patches, for each image the raw relevance
        of every patch, float32, of which its map is the mean over every soft token's: 64 x 64 in
        MedGemma. Empty for all others. `fine` is the current image's.
    """

    images: tuple[npt.NDArray[np.float32], ...]
    row: npt.NDArray[np.float32]
    layers: npt.NDArray[np.float32]
    method: str
    target: Target
    signed: bool
    provenance: Provenance
    completeness_gap: float | None = None
    radiographs: tuple[Radiograph, ...] = field(default=(), repr=False)
    fine_images: tuple[npt.NDArray[np.float32], ...] = ()

    def __post_init__(self) -> None:
        for array in (*self.images, self.row, self.layers, *self.fine_images):
            if array.dtype != np.float32:
                raise ValueError("Explanations hold float32 arrays.")
            array.flags.writeable = False
        if self.radiographs and len(self.radiographs) != len(self.images):
            raise ValueError("An explanation has a radiograph for each of its maps, or none.")

    @property
    def image(self) -> npt.NDArray[np.float32]:
        """The current image's map, the last of `images`."""
        return self.images[-1]

    @property
    def radiograph(self) -> Radiograph | None:
        """The current one, the last of `radiographs`; None when only the numbers are at hand."""
        return self.radiographs[-1] if self.radiographs else None

    @property
    def image_names(self) -> tuple[str, ...]:
        """What each image is called, such as "image 1 of 2"; one alone needs no name: ""."""
        count = len(self.images)
        if count == 1:
            return ("",)
        return tuple(f"image {number} of {count}" for number in range(1, count + 1))

    @property
    def cells(self) -> npt.NDArray[np.float32]:
        """(cells,): all images' maps, image after image and row by row."""
        return np.concatenate([image.ravel() for image in self.images])

    @property
    def fine(self) -> npt.NDArray[np.float32] | None:
        """The current image's map patch by patch; None of methods that do not see patches."""
        return self.fine_images[-1] if self.fine_images else None

    def to_pandas(self) -> "pd.DataFrame":
        """Everything but the radiograph as a table; `explanation_from_pandas` reads it back.

        One line for each position of the sequence: relevance (float32), and where it is a soft
        token the image's number and the map's row and column (nullable integers). The rest
        stands in `.attrs`; of a model's folder only its last part, since tables are passed on.
        """
        return explanation_to_pandas(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """How Jupyter shows it: each map over its radiograph, side by side, as one picture."""
        bundle = {"text/plain": f"{self.method}: {self.target.text or 'whole answer'}"}
        if self.radiographs:
            # Figures stand above data: drawn only where Jupyter asks, so never a need of the data.
            draw = import_module("medgemma_dash.figures.map_svg").maps_svg
            bundle["image/svg+xml"] = draw(self.images, self.radiographs, signed=self.signed)
        return bundle


def explanation_to_pandas(explanation: Explanation) -> "pd.DataFrame":
    """See `Explanation.to_pandas`."""
    import pandas as pd

    provenance = explanation.provenance
    spans = [*(one.span for one in provenance.earlier_images), provenance.image_span]
    places = np.full((3, len(explanation.row)), -1)
    for number, (span, image) in enumerate(zip(spans, explanation.images, strict=True)):
        rows, cols = np.divmod(np.arange(image.size), image.shape[1])
        places[:, slice(*span)] = np.full_like(rows, number), rows, cols
    frame = pd.DataFrame({"relevance": explanation.row.copy()})
    frame.index.name = "position"
    for name, numbers in zip(("image", "row", "col"), places, strict=True):
        frame[name] = pd.array(numbers, dtype="Int64")
        frame.loc[numbers < 0, name] = pd.NA
    frame.attrs = {
        "layers": explanation.layers.tolist(),
        "grid": explanation.image.shape,
        "method": explanation.method,
        "signed": explanation.signed,
        "completeness_gap": explanation.completeness_gap,
        "fine_images": [fine.tolist() for fine in explanation.fine_images],
        "target": asdict(explanation.target),
        "provenance": provenance.facts() | {"model_name": public_model_name(provenance.model_name)},
    }
    return frame


def explanation_from_pandas(frame: "pd.DataFrame") -> Explanation:
    """The explanation that `Explanation.to_pandas` wrote; without its radiograph.

    Raises ValueError when the table is not one of these.
    """
    facts: dict[Any, Any] = frame.attrs
    missing = {"layers", "grid", "method", "target", "provenance"} - facts.keys()
    if missing or "relevance" not in frame:
        raise ValueError(
            f"This is not an explanation's table: {', '.join(sorted(missing)) or 'relevance'} is "
            "missing. Write it with Explanation.to_pandas()."
        )
    provenance = dict(facts["provenance"])
    for name in ("token_ids", "image_span"):
        provenance[name] = tuple(provenance[name])
    for name in ("settings", "versions"):
        provenance[name] = tuple((key, value) for key, value in provenance[name])
    provenance["earlier_images"] = tuple(
        EarlierImage(one["sha256"], tuple(one["span"]), tuple(one["grid"]))
        for one in provenance.get("earlier_images", ())
    )
    row = frame["relevance"].to_numpy(np.float32, copy=True)
    # Tables of one image that were written before there could be several have `fine`.
    fine_images = facts.get("fine_images", [facts["fine"]] if facts.get("fine") else [])
    places = [(one.span, one.grid) for one in provenance["earlier_images"]]
    places.append((provenance["image_span"], tuple(facts["grid"])))
    return Explanation(
        images=tuple(row[slice(*span)].reshape(grid).copy() for span, grid in places),
        row=row,
        layers=np.array(facts["layers"], np.float32),
        method=facts["method"],
        target=target_from_dict(facts["target"]),
        signed=facts["signed"],
        provenance=Provenance(**provenance),
        completeness_gap=facts["completeness_gap"],
        fine_images=tuple(np.array(fine, np.float32) for fine in fine_images),
    )
