"""The pages' figures for notebooks: explanations and layer views in, Plotly figures out.

from medgemma_dash import notebook
notebook.compare([explain(model, answer, token=3, method=m) for m in ("chefer", "rollout")])
view = notebook.layer_view(model, answer, token=3)
notebook.head_matrix(view)
notebook.mistakes(notebook.pipeline_view(model, answer, token=3), answer)
notebook.headline(explanation)
notebook.picture(answer, explanation, "map.svg", width_mm=85)
notebook.report(model, answer, explanation, "report.html")
"""

from medgemma_dash.notebook.agreement import agreements, difference
from medgemma_dash.notebook.layers import (
    attended_words,
    attention_map,
    attention_of,
    gathered_maps,
    head_maps,
    head_matrix,
    layer_view,
)
from medgemma_dash.notebook.maps import compare, layers, show, zones
from medgemma_dash.notebook.pictures import picture
from medgemma_dash.notebook.pipeline import mistake_said, mistakes, pipeline_view
from medgemma_dash.notebook.reports import headline, report

__all__ = [
    "agreements",
    "attended_words",
    "attention_map",
    "attention_of",
    "compare",
    "difference",
    "gathered_maps",
    "head_maps",
    "head_matrix",
    "headline",
    "layer_view",
    "layers",
    "mistake_said",
    "mistakes",
    "picture",
    "pipeline_view",
    "report",
    "show",
    "zones",
]
