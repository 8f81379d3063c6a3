"""How often the model is right on a set of questions, and whether it would be without the image."""

from medgemma_dash.ui.pages.questions.page import questions_page
from medgemma_dash.ui.shell.entry import enter_through_home
from medgemma_dash.ui.state.host import model_host

enter_through_home()
questions_page(model_host())
