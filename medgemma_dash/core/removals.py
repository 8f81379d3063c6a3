"""The ways in which parts of an image are removed, and where each acts."""

from typing import Literal

from medgemma_dash.core.errors import MethodError

# Where the model is given something else: soft tokens replaced, or the picture changed and encoded
# again.
REMOVALS: dict[str, Literal["tokens", "pixels"]] = {
    "mean token": "tokens",
    "another patient": "tokens",
    "blur": "pixels",
    "mean grey": "pixels",
    "inpainting": "pixels",
}


def checked_removal(name: str) -> str:
    """The name, if there is such a removal; raises MethodError that lists them."""
    if name not in REMOVALS:
        raise MethodError(f"There is no removal {name!r}. Removals: {', '.join(REMOVALS)}.")
    return name
