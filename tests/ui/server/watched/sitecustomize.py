"""Loaded by every process of a watched server: nothing leaves this machine, and no temporary file.

What is tried nevertheless fails, and is noted in the file that TRIED names.
"""

import os
import sys
import tempfile
from pathlib import Path

LOCAL = ("127.0.0.1", "::1", "localhost", "", None)
LOOKED_UP = ("socket.getaddrinfo", "socket.gethostbyname")
SENT_TO = ("socket.connect", "socket.sendto", "socket.sendmsg")

TRIED = Path(os.environ["TRIED"])
tempfile.tempdir = "/nowhere"


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook."""
    asked: object = None
    if event in LOOKED_UP:
        asked = arguments[0]
    elif event in SENT_TO and isinstance(arguments[1], tuple):
        asked = arguments[1][0]
    elif event == "tempfile.mkstemp":
        asked = f"temporary file {arguments[0]}"
    if asked not in LOCAL:
        with TRIED.open("a") as tried:
            tried.write(f"{event}: {asked}\n")
        raise PermissionError(f"{event}: {asked}")


sys.addaudithook(watch)
