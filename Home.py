"""MedGemma Dash: the only entry. `streamlit run Home.py`

Streamlit takes the server from here, which is `app`, and runs this file to draw a page.
"""

import streamlit as st

from medgemma_dash.ui.server import MIDDLEWARE, lifespan, plotly_route


def draw() -> None:
    """Set up the page, and draw the one that was asked for."""
    # Here, for the server needs none of them, and starts sooner without.
    from medgemma_dash.core.errors import SettingError
    from medgemma_dash.ui.components.figure_files import figure_files
    from medgemma_dash.ui.components.headings import page_heading
    from medgemma_dash.ui.components.key_help import key_help
    from medgemma_dash.ui.components.phone_menu import phone_menu
    from medgemma_dash.ui.components.rich_line import Segment, rich_line
    from medgemma_dash.ui.components.theme import ICON, apply_styles
    from medgemma_dash.ui.components.theme_watch import watch_theme
    from medgemma_dash.ui.components.window_width import watch_window_width
    from medgemma_dash.ui.pages.home.page import home_page
    from medgemma_dash.ui.shell.entry import (
        begin_at_the_top,
        entered,
        pages_of_records,
        unknown_page,
    )
    from medgemma_dash.ui.shell.header import status_header
    from medgemma_dash.ui.state.host import model_host, spare_collector

    begin_at_the_top()
    st.set_page_config(page_title="MedGemma Dash", page_icon=ICON, layout="wide", menu_items={})
    entered()
    apply_styles()
    figure_files()
    try:
        host = model_host()
    except SettingError as error:
        rich_line([[Segment(str(error))]], key="setting_error", tone="error", announce="alert")
        st.stop()

    explain = st.Page("pages/1_Explain.py", title="Explain")
    home = st.Page(
        lambda: home_page(host, explain, pages_of_records(pages), unknown_page(pages)),
        title="MedGemma Dash",
        url_path="home",
        default=True,
    )
    pages = [
        explain,
        st.Page("pages/2_Compare.py", title="Compare"),
        st.Page("pages/3_Layers.py", title="Layers"),
        st.Page("pages/4_Step_by_Step.py", title="Step by Step"),
        st.Page("pages/5_Target_Words.py", title="Target Words"),
        st.Page("pages/6_Prompt_Sensitivity.py", title="Prompt Sensitivity"),
        st.Page("pages/7_Faithfulness.py", title="Faithfulness"),
        st.Page("pages/8_Question_Sets.py", title="Question Sets"),
        st.Page("pages/9_Methods.py", title="Methods"),
    ]
    page = st.navigation([home, *pages], position="top")
    status_header(host)
    key_help(page.title)
    watch_window_width()
    phone_menu()
    watch_theme()
    if page is not home:
        st.set_page_config(page_title=f"{page.title} · MedGemma Dash")
        page_heading(page.title)
    try:
        page.run()
    finally:
        # After the first page: while torch is imported, everything else takes twice as long.
        host.begin()
        spare_collector(host)


if __name__ == "__main__":
    draw()
else:
    app = st.App(__file__, routes=[plotly_route()], middleware=MIDDLEWARE, lifespan=lifespan)
