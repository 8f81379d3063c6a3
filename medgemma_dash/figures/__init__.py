"""Pure Plotly builders: data in, figure out. No Streamlit, no torch."""

from medgemma_dash.core.numbers import number
from medgemma_dash.core.words import WordRelevance
from medgemma_dash.figures.cells import chosen_cells
from medgemma_dash.figures.comparison import ScaleChoice, comparison_figure
from medgemma_dash.figures.evidence import conditions_figure, image_effect_figure
from medgemma_dash.figures.heads import head_figure
from medgemma_dash.figures.layers import layer_figure
from medgemma_dash.figures.logit_changes import logit_changes_figure
from medgemma_dash.figures.map_grid import map_grid_figure
from medgemma_dash.figures.map_traces import View
from medgemma_dash.figures.matrix import pair_figure
from medgemma_dash.figures.overlay import overlay_picture
from medgemma_dash.figures.overlay_svg import overlay_svg
from medgemma_dash.figures.palette import MAGNITUDE_SCALES, Palette, palette
from medgemma_dash.figures.panels import MapPanel
from medgemma_dash.figures.part_scores import PartScore, part_scores_figure
from medgemma_dash.figures.quality_bars import QualityMeasure, quality_figure
from medgemma_dash.figures.question_scores import question_scores_figure
from medgemma_dash.figures.relevance import PLOTLY_CONFIG, relevance_figure
from medgemma_dash.figures.removal_curves import removal_curve_figure
from medgemma_dash.figures.switched import switched_map
from medgemma_dash.figures.token_bars import token_bars_figure
from medgemma_dash.figures.words import plain, prompt_words_figure
from medgemma_dash.figures.zones import zone_figure

__all__ = [
    "MAGNITUDE_SCALES",
    "PLOTLY_CONFIG",
    "MapPanel",
    "Palette",
    "PartScore",
    "QualityMeasure",
    "ScaleChoice",
    "View",
    "WordRelevance",
    "chosen_cells",
    "comparison_figure",
    "conditions_figure",
    "head_figure",
    "image_effect_figure",
    "layer_figure",
    "logit_changes_figure",
    "map_grid_figure",
    "number",
    "overlay_picture",
    "overlay_svg",
    "pair_figure",
    "palette",
    "part_scores_figure",
    "plain",
    "prompt_words_figure",
    "quality_figure",
    "question_scores_figure",
    "relevance_figure",
    "removal_curve_figure",
    "switched_map",
    "token_bars_figure",
    "zone_figure",
]
