"""Layers and heads behind a word of the answer."""

from medgemma_dash.ui.entry import enter_through_home
from medgemma_dash.ui.host import model_host
from medgemma_dash.ui.layers_page import layers_page

enter_through_home()
layers_page(model_host())
