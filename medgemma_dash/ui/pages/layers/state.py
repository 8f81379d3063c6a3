"""What the Layers page keeps for itself, and the keys of its widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from medgemma_dash.ui.state.session import LivesWith

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from medgemma_dash.services.layers.view import LayerView

# Widgets that keep their value for the session (persist_state="session").
HEAD_MEASURE = "head_measure"
HEAD_LAYER = "head_layer"  # and the slider's number, see `LayersState`
ATTENTION_LAYER = "attention_layer"
GATHERED_LAYER = "gathered_layer"


@dataclass(eq=False)
class LayersState:
    """view: layers and heads of the word last looked into, and for what that was.

    attention: of the token last looked at, and which that was. cells: the chosen patches.
    layer, head: what matrix, slider and maps all show; None for the strongest one.
    slider: how many layer sliders there were. A click on the matrix makes a new one: what the
        browser still says of the old one, which an overtaken run did not move, is passed over.
    """

    lives_with: ClassVar[LivesWith] = "study"
    view: tuple[object, LayerView] | None = None
    attention: tuple[object, npt.NDArray[np.float32]] | None = None
    cells: tuple[tuple[int, int], ...] = ()
    layer: int | None = None
    head: int | None = None
    slider: int = 0
