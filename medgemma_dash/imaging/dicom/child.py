"""The process in which DICOM files are decoded: file on standard input, picture on output.

Started by process.py, once per file. Before it touches a byte of the file it limits its
own memory and processor time and gives up writing files; it keeps silent, because libraries
quote a file's values in their warnings. The answer is 4 bytes of length, a JSON header, and the
picture's raw values: no pickle in either direction.
"""

import json
import logging
import os
import sys
import warnings
from dataclasses import astuple
from typing import Any, BinaryIO

from medgemma_dash.core.errors import ImageError

HEADER_LENGTH_BYTES = 4
UNDECODABLE = (
    "The DICOM file cannot be decoded: it is damaged, cut off, or not encoded as it states. "
    "Copy or export it again."
)
NOT_INSTALLED = (
    "This installation cannot read DICOM: a package is missing. Install requirements.txt again, "
    "or export the radiograph as PNG."
)
TOO_LARGE = (
    "The DICOM file needs more memory to decode than a radiograph does: it is damaged or made to "
    "do harm. Export it again."
)


def limit_this_process(megabytes: int, seconds: int) -> bool:
    """Limit memory, processor time and file writing; return whether the system could.

    Windows has no such limits, and macOS ignores the one on memory: there the time-out and the
    size checks before decoding are what remains.
    """
    try:
        import resource
    except ImportError:
        return False
    wanted = (
        (resource.RLIMIT_AS, megabytes * 2**20),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    )
    held = True
    for kind, value in wanted:
        _, ceiling = resource.getrlimit(kind)
        limit = value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
        try:
            resource.setrlimit(kind, (limit, limit))
        except (OSError, ValueError):
            held = False
    return held


def main(megabytes: int, seconds: int) -> None:
    """Decode standard input to standard output; every failure becomes a header with a message."""
    limit_this_process(megabytes, seconds)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # a library that prints cannot get between header and pixels
        header, picture = _answer(sys.stdin.buffer)
        encoded = json.dumps(header, allow_nan=False).encode()
        output.write(len(encoded).to_bytes(HEADER_LENGTH_BYTES, "little"))
        output.write(encoded)
        output.write(picture)


def _answer(source: BinaryIO) -> tuple[dict[str, Any], memoryview | bytes]:
    try:
        return _decode(source.read())
    except ImageError as error:
        return {"error": str(error)}, b""
    except ImportError:
        return {"error": NOT_INSTALLED}, b""
    except MemoryError:
        return {"error": TOO_LARGE}, b""
    except Exception:  # decoders raise whatever they like, and quote the file when they do
        return {"error": UNDECODABLE}, b""


def _decode(data: bytes) -> tuple[dict[str, Any], memoryview]:
    import numpy as np

    from medgemma_dash.imaging.dicom.decode import decode_dicom
    from medgemma_dash.imaging.dicom.transfer_syntax import read_transfer_syntax

    image = decode_dicom(data, read_transfer_syntax(data))
    picture = np.ascontiguousarray(image.picture)
    if not np.isfinite(picture).all():
        raise ImageError(UNDECODABLE)
    header = {
        "shape": picture.shape,
        "windows": [astuple(window) for window in image.windows],
        "laterality": (str(image.laterality), image.laterality.source, image.laterality.head),
        "spacing_mm": image.spacing_mm,
        "tags": image.tags,
        "warnings": image.warnings,
    }
    return header, picture.data.cast("B")
