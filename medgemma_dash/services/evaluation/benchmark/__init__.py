"""Every method's maps tested on lesions whose place is known, and on the model itself."""

from medgemma_dash.services.evaluation.benchmark.measures import MEASURES, Measure
from medgemma_dash.services.evaluation.benchmark.stored import read_summary
from medgemma_dash.services.evaluation.benchmark.summary import BenchmarkSummary, MethodScore

__all__ = ["MEASURES", "BenchmarkSummary", "Measure", "MethodScore", "read_summary"]
