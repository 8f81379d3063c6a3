"""Arrays by name as an .npz file: equal arrays are equal files, and reading needs no pickle."""

import io
import math
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.errors import ResultFileError


def npz_bytes(arrays: Mapping[str, npt.NDArray[np.generic]]) -> bytes:
    """The arrays, bit for bit. Not np.savez: it stamps each member with the time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED
            )
    return buffer.getvalue()


def read_npz(data: bytes, *, most_bytes: int) -> dict[str, npt.NDArray[np.float32]]:
    """The float32 arrays of a file that anybody may have made.

    Nothing is allocated before a member's size fits the shape that it states. Raises
    ResultFileError for more than `most_bytes`, other dtypes, and whatever is no such file.
    """
    found: dict[str, npt.NDArray[np.float32]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > most_bytes:
                raise ResultFileError(f"Its arrays take more than {most_bytes >> 20} MB.")
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name in found:
                    raise ResultFileError(f"It holds two arrays called {name!r}.")
                with archive.open(member) as file:
                    found[name] = _read_array(file.read(member.file_size), name)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise ResultFileError(f"Its arrays cannot be read: {error}.") from error
    return found


def _read_array(data: bytes, name: str) -> npt.NDArray[np.float32]:
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ResultFileError(f"The array {name!r} is of a format that is not read.")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype != np.dtype("<f4") or by_column:
        raise ResultFileError(f"The array {name!r} is not of float32 numbers, row by row.")
    numbers = data[file.tell() :]
    if math.prod(shape) * dtype.itemsize != len(numbers) or min(shape, default=1) < 0:
        raise ResultFileError(f"The array {name!r} has not as many numbers as it says.")
    return np.frombuffer(numbers, dtype).reshape(shape).astype(np.float32)
