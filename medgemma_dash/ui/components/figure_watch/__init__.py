"""What the components share that listen to a Plotly figure in the browser.

A figure's element comes after theirs, or anew with another page, and Streamlit gives each component
one script, which imports nothing: the shared part is put in front of a component's own.
"""

from importlib.resources import files

_SHARED = files(__name__).joinpath("figure_watch.js").read_text("utf-8")


def watching_script(script: str) -> str:
    """A component's JavaScript, in which `watchFigure` and `unwatch` are at hand."""
    return f"{_SHARED}\n{script}"
