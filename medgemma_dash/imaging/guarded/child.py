"""The process in which files are decoded: file on standard input, what it holds on output.

Started by process.py. It imports the libraries, waits, and for every file forks: the fork limits
its own memory and processor time and gives up writing files before it reads a byte, and ends with
the file. So a file finds the libraries there and nothing of the files before it. Where forking is
not safe the process reads one file itself and ends. It keeps silent, because libraries quote a
file's values in their warnings.
"""

import logging
import os
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from typing import IO, Any, NoReturn

from medgemma_dash.core.errors import ImageError, ResultFileError
from medgemma_dash.imaging.guarded.answer import described, receive_bytes, receive_header, send

# Exit statuses that say which signal ended the fork start here, as a shell's do.
SIGNALLED = 128

# Elsewhere system libraries may not survive it.
CAN_FORK = sys.platform == "linux"
_PICTURES = ("PIL.ImageFile", "medgemma_dash.imaging.raster")
_LIBRARIES = {
    "png": ("PIL.PngImagePlugin", *_PICTURES),
    "jpeg": ("PIL.JpegImagePlugin", "PIL.MpoImagePlugin", "cv2", *_PICTURES),
    "dicom": ("medgemma_dash.imaging.dicom.decode", "cv2"),
    "record": ("pandas", "pyarrow.parquet", "medgemma_dash.imaging.guarded.record"),
}


def subject(kind: str) -> str:
    """How a sentence about a file of this kind begins."""
    return "The record" if kind == "record" else f"The {kind.upper()} file"


def undecodable(kind: str) -> str:
    """What is said when a decoder gives up."""
    return (
        f"{subject(kind)} cannot be decoded: it is damaged, cut off, or not encoded as it states. "
        "Copy or export it again."
    )


def too_large(kind: str) -> str:
    """What is said when the memory limit is reached."""
    than = "one from here" if kind == "record" else "a radiograph"
    return (
        f"{subject(kind)} needs more memory to decode than {than} does: it is damaged or made to "
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
        (resource.RLIMIT_AS, megabytes * 2**20, 0),
        (resource.RLIMIT_CPU, seconds, 1),  # at the outer limit the signal would not say why
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
    )
    held = True
    for kind, value, margin in wanted:
        _, ceiling = resource.getrlimit(kind)
        outer = value + margin
        if ceiling != resource.RLIM_INFINITY:
            value, outer = min(value, ceiling), min(outer, ceiling)
        try:
            resource.setrlimit(kind, (value, outer))
        except (OSError, ValueError):
            held = False
    return held


def main() -> None:
    """Serve files until standard input ends, or one of them ends its process."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints cannot get between header and pixels
    with output, open(0, "rb", buffering=0, closefd=False) as source:
        while _serve(source, output) and CAN_FORK:
            pass


def _serve(source: IO[bytes], output: IO[bytes]) -> bool:
    """Answer one request; False when there is none any more."""
    try:
        request = receive_header(source)
    except EOFError:
        return False
    for name in _LIBRARIES[request["kind"]]:
        with suppress(ImportError):  # said by the answer, which needs it
            import_module(name)
    if not CAN_FORK:
        _answer(request, source, output)
        return True
    process = os.fork()
    if process == 0:
        _end_with_answer(request, source, output)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        # The answer may be half written: nothing more can be said here.
        os._exit(SIGNALLED - code if code < 0 else code)
    return True


def _end_with_answer(request: dict[str, Any], source: IO[bytes], output: IO[bytes]) -> NoReturn:
    try:
        limit_this_process(request["megabytes"], request["seconds"])
        _answer(request, source, output)
    except BaseException:
        os._exit(1)
    os._exit(0)


def _answer(request: dict[str, Any], source: IO[bytes], output: IO[bytes]) -> None:
    """Decode what follows the request; every failure becomes a header with a message."""
    kind = str(request["kind"])
    data = bytes(receive_bytes(source, request["size"]))
    content: bytes | memoryview = b""
    try:
        header, content = _decoded(data, kind)
    except (ImageError, ResultFileError) as error:
        header = {"error": str(error)}
    except ImportError:
        header = {
            "error": f"This installation cannot read {kind.upper()} files: a package is missing. "
            "Install requirements.txt again."
        }
    except MemoryError:
        header = {"error": too_large(kind)}
    except Exception:  # decoders raise whatever they like, and quote the file when they do
        header = {"error": undecodable(kind)}
    send(output, header, content)
    output.flush()


def _decoded(data: bytes, kind: str) -> tuple[dict[str, Any], bytes | memoryview]:
    if kind == "record":
        from medgemma_dash.imaging.guarded.record import rewritten

        return rewritten(data)
    return described(_decode(data, kind))


def _decode(data: bytes, kind: str) -> Any:
    if kind == "dicom":
        from medgemma_dash.imaging.dicom.decode import decode_dicom
        from medgemma_dash.imaging.dicom.transfer_syntax import read_transfer_syntax

        return decode_dicom(data, read_transfer_syntax(data))
    from medgemma_dash.imaging.raster import read_jpeg, read_png

    return read_png(data) if kind == "png" else read_jpeg(data)
