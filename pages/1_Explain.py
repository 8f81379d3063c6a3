"""Click a word of the answer and see why the model said it."""

from medgemma_dash.ui.entry import enter_through_home
from medgemma_dash.ui.explain_page import explain_page
from medgemma_dash.ui.host import model_host

enter_through_home()
explain_page(model_host())
