"""Zip files that anybody may have made."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator

from medgemma_dash.core.errors import ResultFileError, quoted

_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack without a limit
_ENCRYPTED = 1  # a bit of a member's flags
# In these ways zipfile finds out that a directory says what is not so.
_NO_ZIP = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip


def zip_members(
    data: bytes, *, most_bytes: int, check: Callable[[list[str]], object]
) -> Iterator[tuple[str, bytes]]:
    """Each file's name and bytes, one after another.

    check: is given all names before anything is unpacked, and may raise. Raises ResultFileError for
    what takes more than `most_bytes` unpacked, holds two files of one name, is encrypted, or is no
    zip file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            check(names)
            if len(set(names)) < len(names):
                raise ResultFileError("it holds two files of one name.")
            if sum(member.file_size for member in members) > most_bytes:
                raise ResultFileError(f"it takes more than {most_bytes >> 20} MB.")
            for member in members:
                if member.flag_bits & _ENCRYPTED or member.compress_type not in _PACKED:
                    raise ResultFileError(
                        f"{quoted(member.filename)} is encrypted, or packed in a way that is not "
                        "read. Pack it as most programs do, with deflate."
                    )
                yield member.filename, archive.read(member)
    except _NO_ZIP as error:
        raise ResultFileError("it is no zip file, or was cut off.") from error
