"""The one way to a file that ships with the program: `resource("assets", "samples")`.

In a checkout they stand beside the package, where people look for them; in an installed wheel in
a folder of the package.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_INSTALLED = _PACKAGE / "shipped"

ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent


def resource(*parts: str) -> Path:
    """Path of a shipped file or folder; parts: its place below the checkout's root."""
    return ROOT.joinpath(*parts)
