"""Tokens that cannot be seen have names that tell where they stand."""

from medgemma_dash.ui.pages.layers.token_names import token_names


def test_white_space_is_named_by_its_place_and_soft_tokens_have_no_name() -> None:
    texts = [" ", "<bos>", "", "In the", "\n\n", " right", "  ", ".", "\n", "\t"]
    assert token_names(texts) == (
        "space at the beginning",
        "start of text",
        "",
        "In the",
        "line break 1",
        "right",
        "space after “right”",
        ".",
        "line break 2",
        "space after “.”",
    )


def test_only_where_the_model_speaks_the_end_of_a_turn_ends_its_answer() -> None:
    turns = ["<end_of_turn>", "Yes", "<end_of_turn>"]
    assert token_names(turns, prompt_length=1) == ("end of turn", "Yes", "end of answer")
