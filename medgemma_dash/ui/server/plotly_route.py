"""Serves the script that draws figures; Streamlit's own copy of it is out of our scripts' reach."""

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from streamlit import config

from medgemma_dash.core.plotly_script import PLOTLY_SCRIPT, plotly_script
from medgemma_dash.ui.server.headers import A_YEAR


def plotly_route() -> Route:
    """Of the script, below the server's base path."""
    base = str(config.get_option("server.baseUrlPath")).strip("/")
    return Route(f"/{base}/{PLOTLY_SCRIPT}" if base else f"/{PLOTLY_SCRIPT}", _send)


def _send(_: Request) -> Response:
    headers = {"Cache-Control": A_YEAR}
    return FileResponse(plotly_script(), media_type="text/javascript", headers=headers)
