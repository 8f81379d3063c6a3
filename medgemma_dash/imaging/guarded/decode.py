"""Decode a file in a process of its own, so that no file can take the program with it."""

import atexit
import os
import threading

from medgemma_dash.core.errors import ImageError, ResultFileError
from medgemma_dash.core.progress import Check
from medgemma_dash.core.record import Record
from medgemma_dash.core.record_reading import record_of
from medgemma_dash.imaging.decoded import DecodedImage
from medgemma_dash.imaging.guarded.process import GuardedProcess
from medgemma_dash.imaging.guarded.record import MOST_WRITTEN_BYTES, receive_files
from medgemma_dash.imaging.guarded.turns import Turns
from medgemma_dash.imaging.limits import DECODE_MEGABYTES, DECODE_SECONDS
from medgemma_dash.imaging.sniff import FileKind

MOST_AT_ONCE = 4
# Processes that wait for the next file; each holds some 50 MB of libraries.
MOST_KEPT = 2

_turns = Turns(MOST_AT_ONCE)
_kept: list[GuardedProcess] = []
_keeping = threading.Lock()


def decode_guarded(
    data: bytes,
    kind: FileKind,
    *,
    owner: str | None = None,
    check: Check | None = None,
    megabytes: int = DECODE_MEGABYTES,
    seconds: float = DECODE_SECONDS,
) -> DecodedImage:
    """Decode a file under limits of memory and time; raises ImageError.

    owner: on whose behalf: of each, one file is decoded at a time, and four in all.
    check: called about ten times a second; what it raises ends the decoding and is raised here.
    """
    with _turns.turn(owner, 2 * seconds, check):
        process = _take()
        try:
            image = process.decode(data, kind, check, megabytes, seconds)
        finally:
            _put_back(process)
    return image


def record_guarded(data: bytes, *, owner: str | None = None, check: Check | None = None) -> Record:
    """Read the record in a zip file under the same limits; raises ResultFileError.

    Its process ends with it: what tables need would count against the next picture's memory.
    """
    try:
        with _turns.turn(owner, 2 * DECODE_SECONDS, check):
            process = GuardedProcess()
            try:
                files = process.read(
                    data, "record", receive_files, check, DECODE_MEGABYTES, DECODE_SECONDS
                )
            finally:
                process.end()
    except ImageError as error:
        raise ResultFileError(str(error)) from None
    return record_of(files, most_bytes=MOST_WRITTEN_BYTES)


def _take() -> GuardedProcess:
    with _keeping:
        while _kept:
            process = _kept.pop()
            if process.is_alive:
                return process
            process.end()
    return GuardedProcess()


def _put_back(process: GuardedProcess) -> None:
    if process.is_fit:
        with _keeping:
            if len(_kept) < MOST_KEPT:
                _kept.append(process)
                return
        process.end()


@atexit.register
def end_all() -> None:
    """End the processes that wait for a file."""
    while _kept:
        _kept.pop().end()


def _forget_all() -> None:
    """A fork of this program may not talk to the processes that its parent talks to."""
    global _keeping, _turns
    _keeping, _turns = threading.Lock(), Turns(MOST_AT_ONCE)
    while _kept:
        _kept.pop().forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
