"""What a click costs here, as ratios measured side by side in one run."""

from medgemma_dash.services.costs.report import LENGTHS, REFERENCE_SHAPE, run

__all__ = ["LENGTHS", "REFERENCE_SHAPE", "run"]
