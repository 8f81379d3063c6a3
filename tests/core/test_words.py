"""Words made of tokens, with texts as tokenizers cut them."""

import lzma
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random

import pytest
from tokenizers import Tokenizer

from medgemma_dash.core.words import touched, with_control_tokens, word_ranges
from medgemma_dash.models.text_pieces import text_pieces

ROOT = Path(__file__).parents[2]
GEMMA = ROOT.parent / "shared" / "data" / "gemma3-tokenizer" / "tokenizer.json.xz"
DEMO = ROOT / "assets" / "demo-model" / "tokenizer.json"


@dataclass(frozen=True)
class Piece:
    text: str
    special: bool = False


class Decoder:
    """A bare tokenizer with the one call that `text_pieces` makes."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    def decode(self, ids: list[int], *, skip_special_tokens: bool, **_: bool) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=skip_special_tokens)

    def pieces(self, text: str) -> list[str]:
        return text_pieces(self, self.tokenizer.encode(text, add_special_tokens=False).ids)


def joined(*pieces: str | Piece, bar: str = "") -> list[str]:
    """The words' texts, with a bar between the tokens of one."""
    whole = [Piece(one) if isinstance(one, str) else one for one in pieces]
    texts = [one.text for one in whole]
    return [bar.join(texts[start:stop]) for start, stop in word_ranges(whole)]


@pytest.fixture(scope="module")
def gemma() -> Decoder:
    if not GEMMA.exists():
        pytest.skip("Gemma's tokenizer is not part of the repository.")
    return Decoder(Tokenizer.from_str(lzma.decompress(GEMMA.read_bytes()).decode()))


@pytest.fixture(params=["gemma", "demo"])
def tokenizer(request: pytest.FixtureRequest) -> Decoder:
    if request.param == "gemma":
        return request.getfixturevalue("gemma")
    return Decoder(Tokenizer.from_file(str(DEMO)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A small left-sided pneumothorax.", "A small left-sided pneumothorax ."),
        ("The heart's size is 3.5 cm.", "The heart's size is 3.5 cm ."),
        ("Nodule and/or “mass” (?)", "Nodule and/or “ mass ” (?)"),
        ("**Findings:**\n\n*   **Heart:** normal", "** Findings :** * ** Heart :** normal"),
        ("- 1. Yes.\n- 2. No!", "- 1 . Yes . - 2 . No !"),
        ("cafe\u0301s’ 🫁 👩🏽‍⚕️ 5 µm²...", "cafe\u0301s ’ 🫁 👩🏽‍⚕️ 5 µm² ..."),
        ("肺炎、左下叶。心脏 正常", "肺炎 、 左下叶 。 心脏 正常"),
        ("التهاب رئوي، لا", "التهاب رئوي ، لا"),
    ],
)
def test_words_end_at_white_space_and_their_outer_punctuation_is_apart(
    tokenizer: Decoder, text: str, words: str
) -> None:
    found = joined(*tokenizer.pieces(text))
    assert "".join(found) == text
    assert [word.strip() for word in found] == words.split()


def test_a_word_of_gemma_has_several_tokens(gemma: Decoder) -> None:
    pieces = gemma.pieces("Small pneumothorax of 3.5 cm (50%).")
    assert joined(*pieces, bar="|") == [
        *("Small", " pneum|othor|ax", " of", " |3|.|5", " cm", " (", "5|0", "%).")
    ]


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        # A token is not divided, and the word goes on to where both end together.
        (["See", " (the", "rap", "y", ")"], ["See", " (the|rap|y", ")"]),
        (["yes, no", " more", "."], ["yes, no", " more", "."]),
        # White space alone: to the word behind it, with a line break to the one in front.
        (["a", " ", "b"], ["a", " |b"]),
        (["a", " ", "\n", "  ", "b"], ["a| |\n", "  |b"]),
        (["a", "\n", "\n", "*", "b"], ["a|\n|\n", "*", "b"]),
        (["a", "\n*", " b"], ["a", "\n*", " b"]),
        (["a.\n", "b"], ["a.\n", "b"]),
        (["a ", "b"], ["a ", "b"]),
        (["\n", " ", "a", " ", "\n"], ["\n| |a| |\n"]),
        ([" ", "\n"], [" |\n"]),
        # Parts of a rare character, and bytes that never became one.
        (["a", "", "", " 🫁", "", "b"], ["a", "|| 🫁", "|b"]),
        (["a", "", "é", "."], ["a||é", "."]),
        (["a", "", ""], ["a||"]),
        (["", ""], ["|"]),
        ([], []),
    ],
)
def test_tokens_that_no_rule_of_text_divides(pieces: list[str], words: list[str]) -> None:
    assert joined(*pieces, bar="|") == words


def test_special_tokens_are_in_no_word_and_end_one() -> None:
    control, end = Piece("<unused95>", special=True), Piece("", special=True)
    pieces = [control, Piece("pneum"), Piece("onia"), control, Piece("ax"), end, end]
    words = word_ranges(pieces)
    assert words == ((1, 3), (4, 5))
    assert with_control_tokens(words, 7) == ((0, 1), (1, 3), (3, 4), (4, 5), (5, 6), (6, 7))
    assert with_control_tokens((), 0) == ()
    assert touched(words, (2, 3, 4)) == ((1, 3), (4, 5))


LETTERS = [
    "a",
    "B",
    "7",
    ".",
    ",",
    "-",
    "(",
    "%",
    " ",
    "\n",
    "é",
    "e\u0301",
    "肺",
    "。",
    "🫁",
    "\u200d",
]


@pytest.mark.parametrize("seed", range(40))
def test_words_ascend_cover_every_token_and_join_to_the_text(seed: int) -> None:
    random = Random(seed)
    pieces = [
        Piece(
            "".join(random.choices(LETTERS, k=random.choice((0, 1, 1, 2, 3)))),
            random.random() < 0.1,
        )
        for _ in range(random.randrange(30))
    ]
    words = word_ranges(pieces)
    assert [index for start, stop in words for index in range(start, stop)] == [
        index for index, piece in enumerate(pieces) if not piece.special
    ]
    assert all(start < stop for start, stop in words)
    # No word has white space between its letters, unless within one of its tokens.
    for start, stop in words:
        texts = [piece.text for piece in pieces[start:stop]]
        for place in range(1, len(texts)):
            front, back = "".join(texts[:place]), "".join(texts[place:])
            if front.strip() and back.strip():
                spaced = front[-1:].isspace() or back[:1].isspace()
                assert not spaced, texts
    every = with_control_tokens(words, len(pieces))
    assert [start for start, _ in every[1:]] == [stop for _, stop in every[:-1]]
    assert all(first < second for first, second in pairwise(every))


@pytest.mark.parametrize("seed", range(10))
def test_each_tokenizer_gives_the_same_words_unless_a_token_spans_an_end(
    tokenizer: Decoder, seed: int
) -> None:
    random = Random(seed)
    text = "".join(random.choices([*LETTERS, " heart", " lung", "axillary"], k=60))
    pieces = tokenizer.pieces(text)
    words = joined(*pieces)
    assert "".join(words) == text
    # Cut character by character, no end is lost; of those, every one between two tokens stays.
    assert _ends(joined(*text)) & _ends(pieces) <= _ends(words)


def _ends(parts: list[str]) -> set[int]:
    return set(accumulate(len(part) for part in parts))
