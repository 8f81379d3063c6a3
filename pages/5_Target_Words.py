"""Maps of chosen words, said or not."""

from medgemma_dash.ui.pages.words.page import words_page
from medgemma_dash.ui.shell.entry import enter_through_home
from medgemma_dash.ui.state.host import model_host

enter_through_home()
words_page(model_host())
