"""Every method's maps tested on lesions whose place is known, and on the model itself."""

from medgemma_dash.services.method_benchmark.measures import MEASURES, Measure
from medgemma_dash.services.method_benchmark.stored import read_summary
from medgemma_dash.services.method_benchmark.summary import BenchmarkSummary, MethodScore

__all__ = ["MEASURES", "BenchmarkSummary", "Measure", "MethodScore", "read_summary"]
