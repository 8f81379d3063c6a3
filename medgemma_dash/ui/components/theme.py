"""What the theme in .streamlit/config.toml cannot say: the page's own style sheet."""

from functools import cache

import streamlit as st

from medgemma_dash.core.resources import resource
from medgemma_dash.figures import palette

_FOLDER = resource("assets", "styles")
ICON = str(_FOLDER / "icon.svg")


@cache
def _style_sheet() -> str:
    return (_FOLDER / "dashboard.css").read_text(encoding="utf-8")


def apply_styles() -> None:
    """Add the style sheet; call once, from the entry script."""
    colours = palette(is_dark())
    own = (
        f"--dash-accent: {colours.accent}; --dash-on-accent: {colours.on_accent}; "
        f"--dash-text: {colours.text}; --dash-muted: {colours.muted};"
    )
    st.html(f"<style>{_style_sheet()}:root {{ {own} }}</style>")


def is_dark() -> bool:
    """Whether the reader sees the dark theme; dark until the browser has told."""
    return bool(st.context.theme.type != "light")
