"""Where a command may write, checked before the long part of its work."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medgemma_dash.core.errors import SettingError


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn a failure of the file system into an error that names what the user typed."""
    try:
        yield
    except OSError as error:
        raise SettingError(
            f"Cannot write to {path}: {error.strerror or error}. Choose another --out."
        ) from error
