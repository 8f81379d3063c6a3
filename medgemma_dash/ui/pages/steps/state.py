"""What the Step by Step page keeps for itself, and the keys of its widgets."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from medgemma_dash.ui.state.session import LivesWith

if TYPE_CHECKING:
    from medgemma_dash.services.pipeline.view import PipelineView

# Widgets that keep their value for the session (persist_state="session").
STEP = "steps_step"
HEAD = "steps_head"
LAYER = "steps_layer"
GATHERED = "steps_gathered"

# Each holds three numbers for every layer, head and position: 5 MB of a long answer of MedGemma.
KEPT = 8


@dataclass(eq=False)
class StepsState:
    """The tokens gone through so far, those looked at last at the end, and by what was asked."""

    lives_with: ClassVar[LivesWith] = "answer"
    views: OrderedDict[object, PipelineView] = field(default_factory=OrderedDict)

    def known(self, wanted: object) -> PipelineView | None:
        """The view of this token, if it was gone through."""
        if wanted in self.views:
            self.views.move_to_end(wanted)
        return self.views.get(wanted)

    def keep(self, wanted: object, view: PipelineView) -> None:
        """Keep it, and forget what was not looked at for longest."""
        self.views[wanted] = view
        while len(self.views) > KEPT:
            self.views.popitem(last=False)
