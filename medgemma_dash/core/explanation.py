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
class Provenance:
    """Everything needed to compute an explanation again. Holds no pixels and no file name."""

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


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why the model said the target, by one method.

    image: float32 (rows, cols), raw relevance of each soft token, not normalised.
    row: float32 (S,), relevance of every position; self-relevance removed, and zero after
        the position that predicted the target.
    layers: float32 (L,), share of attention, mean over heads, that the predicting position
        gives to the soft tokens in each decoder layer.
    signed: whether negative values mean evidence against.
    radiograph: what it is about, for drawing; None when only the numbers are at hand.
    completeness_gap: for a method that promises completeness, what the row sums to less the
        difference in logits that it should sum to; None for all others.
    fine: float32, raw relevance of each patch of the vision tower, of which `image` is the mean
        over every soft token's: 64 x 64 in MedGemma. Only of methods that see patches, and only as
        they gave it: None for a map put together from kept rows.
    """

    image: npt.NDArray[np.float32]
    row: npt.NDArray[np.float32]
    layers: npt.NDArray[np.float32]
    method: str
    target: Target
    signed: bool
    provenance: Provenance
    completeness_gap: float | None = None
    radiograph: Radiograph | None = field(default=None, repr=False)
    fine: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        for array in (self.image, self.row, self.layers, self.fine):
            if array is None:
                continue
            if array.dtype != np.float32:
                raise ValueError("Explanations hold float32 arrays.")
            array.flags.writeable = False

    def to_pandas(self) -> "pd.DataFrame":
        """Everything but the radiograph as a table; `explanation_from_pandas` reads it back.

        One line for each position of the sequence: relevance (float32), and the map's row and
        column where it is a soft token (nullable integers). The rest stands in `.attrs`; of a
        model's folder only its last part, since tables are passed on.
        """
        return explanation_to_pandas(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """How Jupyter shows it: the map over its radiograph, as a picture."""
        bundle = {"text/plain": f"{self.method}: {self.target.text or 'whole answer'}"}
        if self.radiograph is not None:
            # Figures stand above data: drawn only where Jupyter asks, so never a need of the data.
            draw = import_module("medgemma_dash.figures.map_svg").map_svg
            bundle["image/svg+xml"] = draw(self.image, self.radiograph, signed=self.signed)
        return bundle


def explanation_to_pandas(explanation: Explanation) -> "pd.DataFrame":
    """See `Explanation.to_pandas`."""
    import pandas as pd

    start, stop = explanation.provenance.image_span
    public = public_model_name(explanation.provenance.model_name)
    rows, cols = explanation.image.shape
    row, col = (np.full(len(explanation.row), -1) for _ in range(2))
    row[start:stop], col[start:stop] = np.divmod(np.arange(rows * cols), cols)
    frame = pd.DataFrame({"relevance": explanation.row.copy()})
    frame.index.name = "position"
    for name, places in (("row", row), ("col", col)):
        frame[name] = pd.array(places, dtype="Int64")
        frame.loc[places < 0, name] = pd.NA
    frame.attrs = {
        "layers": explanation.layers.tolist(),
        "grid": (rows, cols),
        "method": explanation.method,
        "signed": explanation.signed,
        "completeness_gap": explanation.completeness_gap,
        "fine": None if explanation.fine is None else explanation.fine.tolist(),
        "target": asdict(explanation.target),
        "provenance": asdict(explanation.provenance) | {"model_name": public},
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
    row = frame["relevance"].to_numpy(np.float32, copy=True)
    fine = facts.get("fine")
    start, stop = provenance["image_span"]
    return Explanation(
        image=row[start:stop].reshape(facts["grid"]).copy(),
        row=row,
        layers=np.array(facts["layers"], np.float32),
        method=facts["method"],
        target=target_from_dict(facts["target"]),
        signed=facts["signed"],
        provenance=Provenance(**provenance),
        completeness_gap=facts["completeness_gap"],
        fine=None if fine is None else np.array(fine, np.float32),
    )
