"""How the map of a word is made, step by step, and how it is made wrong."""

from medgemma_dash.ui.pages.steps.page import steps_page
from medgemma_dash.ui.shell.entry import enter_through_home
from medgemma_dash.ui.state.host import model_host

enter_through_home()
steps_page(model_host())
