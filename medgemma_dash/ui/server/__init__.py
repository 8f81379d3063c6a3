"""What stands between the network and Streamlit: who may ask, what answers carry, how it ends."""

from starlette.middleware import Middleware

from medgemma_dash.ui.server.given_up import CloseGivenUp
from medgemma_dash.ui.server.guard import Guard
from medgemma_dash.ui.server.headers import SecurityHeaders
from medgemma_dash.ui.server.lifespan import lifespan
from medgemma_dash.ui.server.plotly_route import plotly_route

# The first is the outermost, so that a refusal carries the headers too.
MIDDLEWARE = (Middleware(SecurityHeaders), Middleware(Guard), Middleware(CloseGivenUp))

__all__ = ["MIDDLEWARE", "lifespan", "plotly_route"]
