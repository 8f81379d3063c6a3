"""The address bar alone: two buttons draw it, before and after the reader's Back is known of."""

import streamlit as st

from medgemma_dash.ui.components.address_bar import address_bar

turn = st.session_state["turn"] = st.session_state.get("turn", 0) + 1
under_way = st.button("draw what was under way")
reached = st.button("draw what was reached")
if reached:
    address_bar("film=first&word=7", turn=turn, reached="film=first")
elif under_way or turn == 1:
    address_bar("film=second", turn=turn)
st.text(f"drawn {turn}")
