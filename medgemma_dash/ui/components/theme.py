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
    accent = f":root {{ --dash-accent: {palette(is_dark()).accent}; }}"
    st.html(f"<style>{_style_sheet()}{accent}</style>")


def is_dark() -> bool:
    """Whether the reader sees the dark theme; dark until the browser has told."""
    return bool(st.context.theme.type != "light")
