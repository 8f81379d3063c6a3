"""English function words: they hold a sentence together and say nothing about a radiograph.

A closed list: articles, pronouns, prepositions, conjunctions and auxiliaries. "Yes", "no" and
"not" are none of them: they are the answer.
"""

_LIST = """
a an the this that these those some any
there here it its he she they we you i their his her our your who which what
of in on at by for from to with within into onto over under as than
and or but nor so if while because although
is are was were be been being am has have had having do does did
can could may might must will would shall should
"""
FUNCTION_WORDS = frozenset(_LIST.split())


def is_content_word(text: str) -> bool:
    """Whether a word, as it stands in a sentence, is neither punctuation nor a function word."""
    bare = text.strip().lower()
    return any(letter.isalnum() for letter in bare) and bare not in FUNCTION_WORDS
