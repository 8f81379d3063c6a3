"""A record that somebody uploaded, on its way from the guarded process.

There it is read and written anew: Parquet, zip and JSON that were made by hand are opened by no
other process, and what arrives are files as `Record.save` writes them.
"""

from typing import IO, Any

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.record_files import record_files
from medgemma_dash.core.record_reading import record_of_zip, too_large
from medgemma_dash.imaging.guarded.answer import receive_bytes, receive_header

# Five times what an upload may have: honest records shrink to a half, or less where they repeat.
MOST_BYTES = 256 << 20
MOST_WRITTEN_BYTES = 2 * MOST_BYTES  # tables and maps


def rewritten(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the content that carry the record in a zip; raises ResultFileError."""
    files = record_files(record_of_zip(data, most_bytes=MOST_BYTES))
    return {"sizes": {name: len(one) for name, one in files.items()}}, b"".join(files.values())


def receive_files(stream: IO[bytes]) -> dict[str, bytes]:
    """A record's files by name; raises ResultFileError with the reason where none come."""
    header = receive_header(stream)
    if "error" in header:
        raise ResultFileError(str(header["error"])[:500])
    sizes = {str(name): int(size) for name, size in header["sizes"].items()}
    if sum(sizes.values()) > MOST_WRITTEN_BYTES or min(sizes.values()) < 0:
        raise too_large(MOST_BYTES)
    return {name: bytes(receive_bytes(stream, size)) for name, size in sizes.items()}
