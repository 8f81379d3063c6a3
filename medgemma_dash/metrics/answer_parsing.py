"""What an answer in words says to a question of yes or no."""

import re
from typing import Literal

Parsed = Literal["yes", "no", "uncertain"]

_THINKING = re.compile(r"<unused94>.*?(?:<unused95>|\Z)", re.DOTALL)
_LEADING = re.compile(r"(?:[^\w<]+|(?:final )?answer\s*:|[a-d][.):]\s)+")
_FIRST_WORD = re.compile(r"(yes|no)\b(?!\s+(?:doubt|question|image|idea)\b)")
_BOTH = re.compile(r"yes\s*(?:and|or|/)\s*no\b")
# A clause ends with its sentence or where another statement is set against it.
_CLAUSES = re.compile(
    r"[;!?\n]+|\.(?=\s|$)|,?\s+(?:but|however|although|though|whereas)\b", re.IGNORECASE
)
_HEDGED = re.compile(
    r"\b(?:may|might|could be|possibl[ey]|perhaps|unclear|uncertain|unsure|indeterminate"
    r"|equivocal|inconclusive|unable to|difficult to|hard to)\b"
    r"|\b(?:cannot|can ?not|can't|could not|couldn't)\s+(?:\w+\s+)?"
    r"(?:tell|say|be|rule|exclude|determine|assess|judge|answer|confirm|provide|diagnose)\b"
    r"|\bnot\s+(?:be\s+)?(?:sure|certain|clear|possible|excluded|ruled out|diagnostic)\b"
)
# Of these "normal" is not "no", and a thing that is normal is not a finding.
_NOTHING_SAID = re.compile(r"\b(?:normal|clear|unremarkable)\b")
_DENIED = re.compile(
    r"\bno\b(?!\s+(?:doubt|question|change|image|idea)\b)|\bnone\b|\bneither\b|\bnothing\b|\bwithout\b"
    r"|\babsent\b|\babsence of\b|\bnegative for\b|\bfree of\b|\brule[sd]? out\b"
    # Only of a finding: "was not trained to say" denies none.
    r"|(?:\bnot|n't)\s+(?:\w+\s+){0,2}?(?:present|seen|visible|evident|noted|identified|detected"
    r"|observed|appreciated|enlarged|shown?|demonstrated?|reveal|indicate|suggest|see|find|have"
    r"|contain|consistent|compatible|any|evidence|signs?)\b"
    r"|\bcannot\s+(?:see|find|identify|detect|appreciate)\b|\bfails? to\b"
)
_NOT_DENIED = r"(?!\s+(?:\w+\s+){0,2}(?:no|not|neither|nothing|none|absence|absent)\b)"
_STATED = re.compile(
    r"\byes\b"
    rf"|\bthere(?:\s+(?:is|are|appears? to be|seems? to be)|'s)\b{_NOT_DENIED}"
    r"|\b(?:is|are)\s+(?:\w+ly\s+)?(?:present|seen|visible|noted|identified|evident"
    r"|demonstrated|enlarged|detected|observed)\b"
    rf"|\b(?:shows?|demonstrates?|reveals?|indicates?|suggests?|i see)\b{_NOT_DENIED}"
    rf"|\b(?:consistent with|positive for|compatible with|evidence of|signs? of)\b{_NOT_DENIED}"
)


def parse_answer(text: str) -> Parsed:
    """What the answer says: "yes", "no", or "uncertain" where it says neither.

    A whole word yes or no at the start decides. Else the first clause does that states or denies
    something ("no evidence of", "is not present"); a hedge in it ("cannot be excluded") is
    "uncertain", and so is a remark that something is normal. Thinking in front is left out.
    """
    said = _THINKING.sub(" ", text).replace("’", "'").lower()
    start = _LEADING.match(said)
    said = said[start.end() :] if start else said
    if _BOTH.match(said):
        return "uncertain"
    first = _FIRST_WORD.match(said)
    if first:
        return "yes" if first[1] == "yes" else "no"
    for clause in _CLAUSES.split(said):
        if _HEDGED.search(clause):
            return "uncertain"
        denied, stated = _DENIED.search(clause), _STATED.search(clause)
        if _NOTHING_SAID.search(clause):
            stated = None
        if denied and (stated is None or denied.start() < stated.start()):
            return "no"
        if stated:
            return "yes"
    return "uncertain"
