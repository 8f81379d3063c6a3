"""What tokens are called where people read them: on the pages, in reports, in a terminal."""

from collections import Counter

from medgemma_dash.core.answer import Answer, Token

END_OF_ANSWER = "end of answer"
_END_OF_TURN = "<end_of_turn>"
# What Gemma's control tokens do, in place of how they are written.
_CONTROL_TOKENS = {
    _END_OF_TURN: "end of turn",
    "<eos>": "end of text",
    "<bos>": "start of text",
    "<pad>": "padding",
    "<start_of_turn>": "start of turn",
    "<start_of_image>": "start of image",
    "<end_of_image>": "end of image",
    "<image_soft_token>": "image",
    "<unused94>": "start of thinking",
    "<unused95>": "end of thinking",
}
# Alone in a sentence they would be read as the sentence's own.
_PUNCTUATION = {
    ",": "comma",
    ".": "full stop",
    ":": "colon",
    ";": "semicolon",
    "?": "question mark",
    "!": "exclamation mark",
    "-": "hyphen",
    "(": "opening bracket",
    ")": "closing bracket",
}
_BLANKS = {"\n": "line break", "\t": "tab", " ": "space"}
# Rare characters are spelled by several tokens; all but the last of them have no text yet.
PART_OF_A_CHARACTER = "part of a character"
_UNFINISHED = "\ufffd"


def readable(text: str, *, in_prompt: bool = False) -> str:
    """A token's or a word's text, trimmed; what cannot be seen is named, a control token by what
    it does: where the model speaks, the end of a turn is that of its answer.
    """
    words = text.strip()
    if not words.strip(_UNFINISHED):
        return PART_OF_A_CHARACTER if words or not text else _blank(text)
    if words == _END_OF_TURN and not in_prompt:
        return END_OF_ANSWER
    return _CONTROL_TOKENS.get(words, words)


def in_a_sentence(name: str) -> str:
    """A token's name where it stands without quotation marks: punctuation in words."""
    return _PUNCTUATION.get(name, name)


def runners_up_names(token: Token) -> tuple[str, ...]:
    """What could have stood in a token's place; those that look alike, or as it does, are told
    apart by the space before them, else by their id.
    """
    texts = [one.text for one in token.runners_up]
    # Of distinct spellings; the text of a control token is empty.
    alike = Counter(_spoken(text) for text in {*texts, token.text} if text)
    names = [
        _with_space_marked(text) if alike[_spoken(text)] > 1 else _spoken(text) for text in texts
    ]
    same = Counter(names)
    return tuple(
        f"{name} (token {one.id})" if same[name] > 1 else name
        for name, one in zip(names, token.runners_up, strict=True)
    )


def runner_up_name(token: Token, other: int, text: str) -> str:
    """One of them by its id; by its text where it is none of those that are known."""
    ids = [one.id for one in token.runners_up]
    return runners_up_names(token)[ids.index(other)] if other in ids else _spoken(text)


def _with_space_marked(text: str) -> str:
    name = _spoken(text)
    return f"␣{name}" if text[:1].isspace() else f"{name} (no space)"


def token_name(answer: Answer, index: int) -> str:
    """One of the answer's tokens; the control tokens among them have no text of their own."""
    token = answer.tokens[index]
    if not token.special:
        return readable(token.text)
    if answer.stopped == "end of turn" and index == len(answer.tokens) - 1:
        return END_OF_ANSWER
    return readable(answer.piece_texts[token.position])


def _blank(text: str) -> str:
    for character, name in _BLANKS.items():
        if count := text.count(character):
            return name if count == 1 else f"{count} {name}s"
    return "white space"


def _spoken(text: str) -> str:
    return in_a_sentence(readable(text))
