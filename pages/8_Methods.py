"""What each attribution method computes, what it costs, and how far to trust it."""

from medgemma_dash.ui.entry import enter_through_home
from medgemma_dash.ui.host import model_host
from medgemma_dash.ui.methods_page import methods_page

enter_through_home()
methods_page(model_host())
