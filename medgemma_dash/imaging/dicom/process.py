"""Decode a DICOM file in a process of its own, so that no file can take the server with it."""

import json
import math
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from jaxtyping import Shaped

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.radiograph import Laterality, Window
from medgemma_dash.imaging.dicom.child import HEADER_LENGTH_BYTES, TOO_LARGE, UNDECODABLE
from medgemma_dash.imaging.limits import DECODE_MEGABYTES, DECODE_SECONDS, check_picture_size
from medgemma_dash.imaging.window import is_usable
from medgemma_dash.imaging.window_names import distinct

_PACKAGE_PARENT = Path(__file__).resolve().parents[3]
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from medgemma_dash.imaging.dicom.child import main; main(int(sys.argv[2]), int(sys.argv[3]))"
)
# The child gets no tokens, proxies or other secrets from the server's environment.
_KEPT_ENVIRONMENT = (
    "PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT",
    "LANG", "LC_ALL", "TMPDIR", "TEMP", "HOME",
)  # fmt: skip
_NOT_STARTED = (
    "This machine is too busy to decode a DICOM file: no process could be started for it. Try "
    "again in a minute, or close other programs."
)
_KILLED = (
    "The system ended the process that decoded the file, most likely because this machine is "
    "short of memory; the file may be sound. Close other programs and try again."
)
# What a broken answer of the child may raise here.
_UNREADABLE = (EOFError, ValueError, TypeError, KeyError, OverflowError, RecursionError)
_MAX_HEADER_BYTES = 2**16
_MAX_AT_ONCE = 2
_slots = threading.BoundedSemaphore(_MAX_AT_ONCE)


@dataclass(frozen=True, eq=False)
class ReceivedImage:
    """A decoded radiograph as it came over the pipe, checked.

    picture: float32 (H, W) intensities, or uint8 (H, W, 3) colours.
    """

    picture: Shaped[np.ndarray, "rows cols *channels"]
    windows: tuple[Window, ...]
    laterality: Laterality
    spacing_mm: tuple[float, float] | None
    tags: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def decode_in_process(
    data: bytes, megabytes: int = DECODE_MEGABYTES, seconds: float = DECODE_SECONDS
) -> ReceivedImage:
    """Decode a DICOM file under a memory limit and a time-out; raises ImageError.

    At most two files are decoded at once; a third waits for its turn.
    """
    if not _slots.acquire(timeout=2 * seconds):
        raise ImageError("Too many DICOM files are being read at once. Try again in a minute.")
    try:
        return _run(data, megabytes, seconds)
    finally:
        _slots.release()


def _run(data: bytes, megabytes: int, seconds: float) -> ReceivedImage:
    limits = [str(_PACKAGE_PARENT), str(megabytes), str(math.ceil(seconds))]
    environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    # A BLAS pool reserves address space for every thread, which would count against the limit.
    environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    try:
        # The program is fixed text; the arguments are this package's folder and two numbers.
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-B", "-c", _START, *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
    except OSError:
        raise ImageError(_NOT_STARTED) from None
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, stop)
    writer = threading.Thread(target=_feed, args=(process, data), daemon=True)
    try:
        _start(timer, writer)
        return _receive(cast(IO[bytes], process.stdout))
    except _UNREADABLE:
        killed = not late.is_set() and _was_killed(process)
        raise ImageError(_KILLED if killed else _reason(late.is_set(), seconds)) from None
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        if writer.ident is not None:
            writer.join()
        cast(IO[bytes], process.stdin).close()
        cast(IO[bytes], process.stdout).close()


def _start(*threads: threading.Thread) -> None:
    try:
        for thread in threads:
            thread.start()
    except RuntimeError:  # the system gives this program no further thread
        raise ImageError(_NOT_STARTED) from None


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    stdin = cast(IO[bytes], process.stdin)
    try:
        with stdin:
            stdin.write(data)
    except OSError:
        pass  # the child has ended; what it said is read from its output


def _reason(late: bool, seconds: float) -> str:
    if late:
        return (
            f"The DICOM file took more than {seconds:.0f} seconds to decode and was given up. "
            "Export it uncompressed or smaller."
        )
    # Native decoders end the whole process when memory runs out, or on damage.
    return UNDECODABLE


def _was_killed(process: subprocess.Popen[bytes]) -> bool:
    """Whether the child, which said nothing more, was ended by the system's kill signal."""
    try:
        return process.wait(timeout=1) == -9
    except subprocess.TimeoutExpired:
        return False


def _receive(stream: IO[bytes]) -> ReceivedImage:
    """Read and check the child's answer: a decoder may have been taken over by its input."""
    length = int.from_bytes(_exactly(stream, HEADER_LENGTH_BYTES), "little")
    if length > _MAX_HEADER_BYTES:
        raise ValueError("header")
    header = json.loads(_exactly(stream, length))
    if "error" in header:
        raise ImageError(str(header["error"])[:500])
    shape = tuple(int(side) for side in header["shape"])
    if len(shape) not in (2, 3) or shape[2:] not in ((), (3,)):
        raise ValueError("shape")
    check_picture_size(shape[0], shape[1])
    try:
        picture = np.empty(shape, np.float32 if len(shape) == 2 else np.uint8)
    except MemoryError:
        raise ImageError(TOO_LARGE) from None
    _fill(stream, picture.data.cast("B"))
    if picture.dtype == np.float32 and not np.isfinite(picture).all():
        raise ValueError("pixels")
    return _checked(header, picture)


def _checked(
    header: dict[str, Any], picture: Shaped[np.ndarray, "rows cols *channels"]
) -> ReceivedImage:
    windows = tuple(
        Window(str(name), float(centre), float(width), bool(exact))
        for name, centre, width, exact in header["windows"]
    )
    if not windows or windows != distinct(windows) or not all(map(is_usable, windows)):
        raise ValueError("windows")
    side, source, head = header["laterality"]
    spacing = header["spacing_mm"]
    return ReceivedImage(
        picture=picture,
        windows=windows,
        laterality=Laterality(side, str(source), head),
        spacing_mm=None if spacing is None else (float(spacing[0]), float(spacing[1])),
        tags=tuple((str(name), str(value)) for name, value in header["tags"]),
        warnings=tuple(str(warning) for warning in header["warnings"]),
    )


def _exactly(stream: IO[bytes], count: int) -> bytes:
    buffer = bytearray(count)
    _fill(stream, memoryview(buffer))
    return bytes(buffer)


def _fill(stream: IO[bytes], target: memoryview) -> None:
    """Fill the target; raises EOFError when the child ends early."""
    at = 0
    while at < len(target):
        count = stream.readinto(target[at:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        at += count
