"""Text in pictures is read in whatever script it was typed, and fits where it stands."""

import pytest

from medgemma_dash.figures.lettering import broken, drawable, face


@pytest.mark.parametrize(
    "text", ["Есть ли признаки пневмоторакса?", "Υπάρχει υγρό;", "Ödem, żółty, “naïve” – 5 µm ≥ 3"]
)
def test_latin_greek_and_cyrillic_are_letters_of_the_face(text: str) -> None:
    assert drawable(text) == text
    drawn = [bytes(face(30).getmask(letter)) for letter in text if letter not in " ;?.,"]
    missing = bytes(face(30).getmask("\uffff"))
    assert missing not in drawn


def test_what_the_face_lacks_is_a_code_point_and_no_box() -> None:
    assert drawable("胸 a\u202eb\n🫁") == "<U+80F8> a b <U+1FAC1>"


@pytest.mark.parametrize("text", ["one two three", "x" * 50, "", "a" * 9 + " " + "b" * 30])
def test_a_line_is_broken_so_that_every_part_fits_and_nothing_is_lost(text: str) -> None:
    parts = broken(text, 10, len)
    assert all(len(part) <= 10 for part in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")
