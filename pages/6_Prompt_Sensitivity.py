"""The question in other words, and about changed copies of the film."""

from medgemma_dash.ui.pages.prompts.page import prompts_page
from medgemma_dash.ui.shell.entry import enter_through_home
from medgemma_dash.ui.state.host import model_host

enter_through_home()
prompts_page(model_host())
