"""How an upload stands in the URL, and its question for a session that lost it by a reload.

The question stands neither in the URL nor on disk, for it may say something about a patient. The
URL holds the upload's marker, 64 random bits, under which a new session finds the question here.
"""

import re
import threading
from collections import OrderedDict
from secrets import token_hex

KEPT = 64
MARKER = re.compile("upload(-[0-9a-f]{16})?")


def new_marker() -> str:
    """What stands in the URL for an upload that is opened now."""
    return f"upload-{token_hex(8)}"


class UploadQuestions:
    """The newest questions by their uploads' markers. Safe to use from any thread."""

    def __init__(self) -> None:
        self._questions: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, marker: str, question: str) -> None:
        """Keep an upload's question in the place of its earlier one."""
        with self._lock:
            self._questions[marker] = question
            self._questions.move_to_end(marker)
            while len(self._questions) > KEPT:
                self._questions.popitem(last=False)

    def get(self, marker: str) -> str:
        """The question, "" where it is not known."""
        with self._lock:
            return self._questions.get(marker, "")
