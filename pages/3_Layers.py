"""Layers and heads behind a word of the answer."""

from medgemma_dash.ui.pages.layers.page import layers_page
from medgemma_dash.ui.shell.entry import enter_through_home
from medgemma_dash.ui.state.host import model_host

enter_through_home()
layers_page(model_host())
