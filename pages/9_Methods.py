"""What each attribution method computes, what it costs, and how far to trust it."""

from medgemma_dash.ui.pages.methods.page import methods_page
from medgemma_dash.ui.shell.entry import enter_through_home
from medgemma_dash.ui.state.host import model_host

enter_through_home()
methods_page(model_host())
