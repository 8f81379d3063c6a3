"""Pure Plotly builders: data in, figure out. No Streamlit, no torch."""

from medgemma_dash.figures.cells import chosen_cells
from medgemma_dash.figures.layers import layer_figure
from medgemma_dash.figures.overlay import overlay_picture
from medgemma_dash.figures.palette import MAGNITUDE_SCALES, Palette, palette
from medgemma_dash.figures.relevance import PLOTLY_CONFIG, relevance_figure
from medgemma_dash.figures.words import WordRelevance, number, plain, prompt_words_figure

__all__ = [
    "MAGNITUDE_SCALES",
    "PLOTLY_CONFIG",
    "Palette",
    "WordRelevance",
    "chosen_cells",
    "layer_figure",
    "number",
    "overlay_picture",
    "palette",
    "plain",
    "prompt_words_figure",
    "relevance_figure",
]
