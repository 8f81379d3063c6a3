"""One word explained by several methods, side by side."""

from medgemma_dash.ui.pages.compare.page import compare_page
from medgemma_dash.ui.shell.entry import enter_through_home
from medgemma_dash.ui.state.host import model_host

enter_through_home()
compare_page(model_host())
