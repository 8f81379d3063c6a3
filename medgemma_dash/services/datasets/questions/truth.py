"""The right answer to a question of yes or no, however a table writes it."""

from medgemma_dash.metrics.answer_parsing import Parsed, parse_answer

_WRITTEN: dict[str, Parsed] = {
    **dict.fromkeys(("yes", "y", "true", "t", "1", "1.0", "present", "positive"), "yes"),
    **dict.fromkeys(("no", "n", "false", "f", "0", "0.0", "absent", "negative"), "no"),
}


def truth_of(written: str) -> Parsed:
    """Yes or no; "uncertain" for anything else, CheXpert's -1 and an empty cell among it."""
    plain = written.strip().strip(".\"'").casefold()
    return _WRITTEN.get(plain) or parse_answer(written)


def is_true(written: str) -> bool:
    """Whether a mark such as `withheld` is set."""
    return _WRITTEN.get(written.strip().casefold()) == "yes" or written.strip() == "x"
