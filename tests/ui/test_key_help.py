"""The list of keys says on each page what is true there."""

import pytest

from medgemma_dash.ui.components.key_help import keys_on


@pytest.mark.parametrize(
    ("page", "groups", "patches"),
    [
        ("Explain", 3, True),
        ("Compare", 3, False),
        ("Layers", 3, True),
        ("Target Words", 3, False),
        ("Step by Step", 3, False),
        ("Faithfulness", 3, False),
        ("Prompt Sensitivity", 2, False),
        ("Methods", 1, False),
        ("MedGemma Dash", 1, False),
    ],
)
def test_only_what_works_on_a_page_is_listed_there(page: str, groups: int, patches: bool) -> None:
    listed = keys_on(page)
    assert len(listed) == groups
    said = [does for _, keys in listed for _, does in keys]
    assert any("patch" in does for does in said) == patches
    assert any("word" in does for does in said) == (groups > 2)
    assert ["Escape", "close what is open"] in listed[-1][1]


def test_rows_are_gone_through_where_there_are_some() -> None:
    assert [title for title, _ in keys_on("Question Sets")] == [
        "In the rows",
        "With the mouse",
        "Everywhere",
    ]
