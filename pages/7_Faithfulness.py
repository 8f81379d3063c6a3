"""Whether the map of a word tells the truth about the model."""

from medgemma_dash.ui.pages.faithfulness.page import faithfulness_page
from medgemma_dash.ui.shell.entry import enter_through_home
from medgemma_dash.ui.state.host import model_host

enter_through_home()
faithfulness_page(model_host())
