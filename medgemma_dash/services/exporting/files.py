"""Files that belong together, written whole or not at all."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_together(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, which is made where it is missing.

    All are written under other names before the first gets its own, so that a full disk or a
    stopped process leaves what was there before. Raises OSError; without files, when the folder
    cannot be written into.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as place:
        for name, content in files.items():
            Path(place, name).write_bytes(content)
        for name in files:
            if (folder / name).is_dir():
                raise IsADirectoryError(f"{name} is a folder")
        for name in files:
            os.replace(Path(place, name), folder / name)
