"""Plotly's script for a browser, of the release that makes the figures here."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

# A name that no other contents can have.
PLOTLY_SCRIPT = f"plotly-{version('plotly')}.min.js"


def plotly_script() -> Path:
    """Where the file is. Found without importing Plotly, for which a server need not wait."""
    package = find_spec("plotly")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("plotly is not installed")
    return Path(package.submodule_search_locations[0], "package_data", "plotly.min.js")
