"""A number and the things that it counts, as a sentence has them."""


def counted(number: int, thing: str) -> str:
    """For example "1 row" and "1,200 rows": thing is the word for one, and takes an s."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
