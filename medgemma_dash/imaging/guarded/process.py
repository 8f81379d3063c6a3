"""One process that decodes files, as the program sees it."""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal, TypeVar, cast

from medgemma_dash.core.errors import ImageError, ResultFileError
from medgemma_dash.core.progress import Check
from medgemma_dash.imaging.decoded import DecodedImage
from medgemma_dash.imaging.guarded.answer import UNREADABLE, receive, send
from medgemma_dash.imaging.guarded.child import (
    CAN_FORK,
    SIGNALLED,
    subject,
    too_large,
    undecodable,
)
from medgemma_dash.imaging.guarded.turns import POLL_SECONDS
from medgemma_dash.imaging.sniff import FileKind

T = TypeVar("T")

_PACKAGE_PARENT = Path(__file__).resolve().parents[3]
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from medgemma_dash.imaging.guarded.child import main; main()"
)
# The child gets no tokens, proxies or other secrets from the program's environment.
_KEPT_ENVIRONMENT = (
    "PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT",
    "LANG", "LC_ALL", "TMPDIR", "TEMP", "HOME",
)  # fmt: skip
_PIPE_BYTES = 2**20  # where the system lets it be chosen
_NOT_STARTED = (
    "This machine is too busy to decode a file: no process could be started for it. Try again in "
    "a minute, or close other programs."
)


class GuardedProcess:
    """A running child.py and its pipes; fit for another file until one goes wrong."""

    def __init__(self) -> None:
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        # A BLAS pool reserves address space for every thread, which would count against the
        # limit, and threads do not survive a fork.
        environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        try:
            # The program is fixed text; the argument is this package's folder.
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-B", "-c", _START, str(_PACKAGE_PARENT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                bufsize=0,
                pipesize=_PIPE_BYTES,
                start_new_session=True,  # ended as a group, and deaf to the terminal's Ctrl-C
            )
        except OSError:
            raise ImageError(_NOT_STARTED) from None
        self._ended_by: BaseException | None = None
        self.is_fit = CAN_FORK

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def decode(
        self, data: bytes, kind: FileKind, check: Check | None, megabytes: int, seconds: float
    ) -> DecodedImage:
        """Hand it a file and take the picture; raises ImageError, or what the check raises."""
        return self.read(data, kind, receive, check, megabytes, seconds)

    def read(
        self,
        data: bytes,
        kind: FileKind | Literal["record"],
        receive: Callable[[IO[bytes]], T],
        check: Check | None,
        megabytes: int,
        seconds: float,
    ) -> T:
        """Hand it a file of any kind; `receive` takes its answer, and raises what that says."""
        fit, self.is_fit = self.is_fit, False
        done = threading.Event()
        request = {
            "kind": kind,
            "size": len(data),
            "megabytes": megabytes,
            "seconds": math.ceil(seconds),
        }
        writer = threading.Thread(target=self._feed, args=(request, data), daemon=True)
        watcher = threading.Thread(target=self._watch, args=(done, check, seconds), daemon=True)
        try:
            _start(watcher, writer)
            return self._received(kind, receive, seconds, fit)
        finally:
            done.set()
            if not self.is_fit:
                self._kill()
            for thread in (writer, watcher):
                if thread.ident is not None:
                    thread.join()
            if not self.is_fit or self._ended_by is not None:
                self.end()

    def _received(
        self, kind: str, receive: Callable[[IO[bytes]], T], seconds: float, fit: bool
    ) -> T:
        """The answer; where one came whole, the process is as fit as it was."""
        try:
            answer = receive(cast(IO[bytes], self._process.stdout))
        except (ImageError, ResultFileError):
            self.is_fit = fit
            raise
        except MemoryError:
            raise ImageError(too_large(kind)) from None
        except UNREADABLE:
            raise self._reason(kind, seconds) from None
        self.is_fit = fit
        return answer

    def end(self) -> None:
        """End it, with the fork that is at work."""
        self.is_fit = False
        self._kill()
        self._process.wait()
        cast(IO[bytes], self._process.stdin).close()
        cast(IO[bytes], self._process.stdout).close()

    def forget(self) -> None:
        """Leave it to the process that this one was forked from."""
        self._process.returncode = 0
        cast(IO[bytes], self._process.stdin).close()
        cast(IO[bytes], self._process.stdout).close()

    def _kill(self) -> None:
        if self._process.returncode is not None:
            return
        if sys.platform == "win32":
            self._process.kill()
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _feed(self, request: dict[str, object], data: bytes) -> None:
        stdin = cast(IO[bytes], self._process.stdin)
        view = memoryview(data)
        try:
            send(stdin, request)
            while view:
                view = view[stdin.write(view) :]
        except (OSError, ValueError):
            pass  # the child has ended; what it said is read from its output

    def _watch(self, done: threading.Event, check: Check | None, seconds: float) -> None:
        """End the child when time is up, or when nobody waits for it any more."""
        deadline = time.monotonic() + seconds
        while not done.wait(seconds if check is None else min(POLL_SECONDS, seconds)):
            try:
                if check is not None:
                    check()
            except BaseException as raised:  # for the one who waits, in another thread
                self._ended_by = raised
            if time.monotonic() >= deadline and self._ended_by is None:
                self._ended_by = TimeoutError()
            if self._ended_by is not None:
                self._kill()
                return

    def _reason(self, kind: str, seconds: float) -> BaseException:
        """Why there is no answer."""
        if self._ended_by is not None and not isinstance(self._ended_by, TimeoutError):
            return self._ended_by
        code = 0
        if self._ended_by is None:
            with suppress(subprocess.TimeoutExpired):  # it lives, and talks nonsense
                code = self._process.wait(timeout=1)
        by_signal = SIGNALLED - code if code < 0 else code
        if self._ended_by is not None or by_signal == SIGNALLED + _number("SIGXCPU"):
            return ImageError(
                f"{subject(kind)} took more than {seconds:.0f} seconds to decode and was "
                "given up. Export it uncompressed or smaller."
            )
        if by_signal == SIGNALLED + _number("SIGKILL"):
            return ImageError(
                "The system ended the process that decoded the file, most likely because this "
                "machine has too little free memory. Close other programs and try again."
            )
        # Native decoders end the whole process when memory runs out, or on damage.
        return ImageError(undecodable(kind))


def _number(name: str) -> int:
    """A signal's number; 0 where the system does not have it."""
    return int(getattr(signal, name, 0))


def _start(*threads: threading.Thread) -> None:
    try:
        for thread in threads:
            thread.start()
    except RuntimeError:  # the system gives this program no further thread
        raise ImageError(_NOT_STARTED) from None
