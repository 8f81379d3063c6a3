"""Each token's share of a text, so that the shares join to the text exactly."""

from collections.abc import Sequence
from typing import Any

from medgemma_dash.core.errors import ModelError

UNFINISHED = "\ufffd"  # what a tokenizer writes for bytes that are not yet a character


class PieceStream:
    """Turns token ids into text pieces as they arrive.

    A character spread over several tokens belongs to the last of them; the others get "".
    """

    def __init__(self, tokenizer: Any, *, skip_special_tokens: bool = True) -> None:
        self._tokenizer = tokenizer
        self._skip = skip_special_tokens
        self._ids: list[int] = []
        self._text = ""

    def push(self, token_id: int) -> str:
        """The text that this token adds."""
        self._ids.append(token_id)
        text = self._decode()
        if text.endswith(UNFINISHED) or not text.startswith(self._text):
            return ""
        piece = text[len(self._text) :]
        self._text = text
        return piece

    def rest(self) -> str:
        """What is left when no more tokens come: bytes that never became a character."""
        text = self._decode()
        if not text.startswith(self._text):
            raise ModelError(
                "The tokenizer rewrites earlier text; its answer cannot be split into tokens."
            )
        return text[len(self._text) :]

    def _decode(self) -> str:
        return str(
            self._tokenizer.decode(
                self._ids, skip_special_tokens=self._skip, clean_up_tokenization_spaces=False
            )
        )


def text_pieces(
    tokenizer: Any, ids: Sequence[int], *, skip_special_tokens: bool = True
) -> list[str]:
    """One text per token id; joined they are the decoded text."""
    stream = PieceStream(tokenizer, skip_special_tokens=skip_special_tokens)
    pieces = [stream.push(int(token_id)) for token_id in ids]
    if pieces:
        pieces[-1] += stream.rest()
    return pieces
