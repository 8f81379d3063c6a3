"""Click a word of the answer and see why the model said it."""

from medgemma_dash.ui.pages.explain.page import explain_page
from medgemma_dash.ui.shell.entry import enter_through_home
from medgemma_dash.ui.state.host import model_host

enter_through_home()
explain_page(model_host())
