"""A page of more, and larger, messages than Streamlit keeps for a browser that does not read."""

import streamlit as st

from medgemma_dash.ui.server import MIDDLEWARE, lifespan

if __name__ == "__main__":
    for number in range(1500):
        st.text(f"{number} " + "much " * 2000)
    st.text("the end")
else:
    app = st.App(__file__, middleware=MIDDLEWARE, lifespan=lifespan)
