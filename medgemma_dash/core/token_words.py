"""What tokens are called where people read them: on the pages, in reports, in a terminal."""

from medgemma_dash.core.answer import Answer

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
