"""How near a yes/no decision was, whatever the model then said."""

from typing import Any

from jaxtyping import Float
from torch import Tensor


def spellings(tokenizer: Any, word: str) -> tuple[int, ...]:
    """Ids of the tokens that are a word whole: Yes, yes, YES, with and without a leading space.

    Ascending, each once; empty where the tokenizer always needs several tokens.
    """
    plain = word.strip()
    forms = {plain, plain.capitalize(), plain.lower(), plain.upper()}
    found = set()
    for text in (space + form for form in forms for space in ("", " ")):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(ids) == 1 and ids[0] != tokenizer.unk_token_id:
            found.add(int(ids[0]))
    return tuple(sorted(found))


def margin(
    tokenizer: Any, logits: Float[Tensor, " vocabulary"], words: tuple[str, str] = ("Yes", "No")
) -> float | None:
    """Logsumexp of the logits of the first word's spellings less that of the second's.

    None where the tokenizer has no one-token spelling of one of them.
    """
    ids = [list(spellings(tokenizer, word)) for word in words]
    if not all(ids):
        return None
    first, second = (float(logits[some].double().logsumexp(0)) for some in ids)
    return first - second
