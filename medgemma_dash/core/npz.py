"""Arrays by name as an .npz file: equal arrays are equal files, and reading needs no pickle."""

import io
import math
import re
import zipfile
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.errors import ResultFileError, quoted
from medgemma_dash.core.zip_reading import zip_members

# As numpy writes it. numpy's own reader takes a header for a Python expression, and there is no end
# to how one of those can fail.
_START = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '(?P<dtype>[^']{1,16})', 'fortran_order': (?P<by_column>True|False), "
    rb"'shape': \((?P<shape>|\d{1,18}(, \d{1,18}){0,31},?)\),? ?\} *\n"
)


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
    ResultFileError for more than `most_bytes`, other dtypes, what is no finite number, and whatever
    is no such file.
    """
    members = zip_members(data, most_bytes=most_bytes, check=len)
    try:
        return {
            name.removesuffix(".npy"): _read_array(member, quoted(name)) for name, member in members
        }
    except (ResultFileError, ValueError) as error:
        raise ResultFileError(f"Its arrays cannot be read: {error}") from error


def _read_array(data: bytes, name: str) -> npt.NDArray[np.float32]:
    if not data.startswith(_START):
        raise ResultFileError(f"{name} is of a format that is not read.")
    first = len(_START) + 2
    start = first + int.from_bytes(data[len(_START) : first], "little")
    header = _HEADER.fullmatch(data[first:start])
    if header is None:
        raise ResultFileError(f"{name} does not begin as an array does.")
    if header["dtype"] != b"<f4" or header["by_column"] != b"False":
        raise ResultFileError(f"{name} is not of float32 numbers, row by row.")
    shape = tuple(int(length) for length in header["shape"].split(b",") if length.strip())
    if math.prod(shape) * 4 != len(data) - start:
        raise ResultFileError(f"{name} has not as many numbers as it says.")
    numbers = np.frombuffer(data, "<f4", offset=start).reshape(shape).astype(np.float32)
    if not np.isfinite(numbers).all():
        raise ResultFileError(f"{name} holds what is no number.")
    return numbers
