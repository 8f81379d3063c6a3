"""Turns whatever ended a computation into what the user is told and what the log may hold."""

import logging
import traceback
from pathlib import PurePath

from medgemma_dash.core.dependencies import dependency_error, unmet
from medgemma_dash.core.errors import MedGemmaDashError, OutOfMemoryError

LOG = logging.getLogger(__name__)

# What allocators of processors and Apple GPUs say in a plain RuntimeError.
OUT_OF_MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory")


def plain_error(raised: BaseException, label: str) -> MedGemmaDashError:
    """What the user is told; free of traceback, whose frames hold tensors and pictures."""
    if isinstance(raised, MedGemmaDashError):
        raised.__traceback__ = raised.__cause__ = raised.__context__ = None
        return raised
    if is_out_of_memory(raised):
        return OutOfMemoryError(
            f'The memory was not enough for "{label}". Nothing computed earlier was lost. Close '
            "other programs, ask a shorter question, or choose a smaller model; then try again."
        )
    log_failure(raised, label)
    if wrong := unmet():
        return dependency_error(wrong, type(raised).__name__)
    return MedGemmaDashError(
        f'An unexpected error ({type(raised).__name__}) ended "{label}". Earlier results are '
        "kept. Try again; if it returns, the program's log says where it happened."
    )


def is_out_of_memory(raised: BaseException) -> bool:
    """Whether a device or this machine ran out of memory; known by name, without torch."""
    if any(kind.__name__ in ("MemoryError", "OutOfMemoryError") for kind in type(raised).__mro__):
        return True
    message = str(raised).lower() if isinstance(raised, RuntimeError) else ""
    return any(words in message for words in OUT_OF_MEMORY_WORDS)


def log_failure(raised: BaseException, label: str) -> None:
    """Log where it happened, never the message: it may quote a prompt, a tag or a file name."""
    places = " < ".join(
        f"{PurePath(frame.filename).name}:{frame.lineno} in {frame.name}"
        for frame in reversed(traceback.extract_tb(raised.__traceback__))
    )
    LOG.error("%s in %r at %s", type(raised).__name__, label, places)
