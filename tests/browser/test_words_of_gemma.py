"""Words of Gemma's own tokenizer in a real browser: what one click and one Alt-click choose."""

import json
import lzma
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from medgemma_dash.core.answer import Token
from medgemma_dash.core.words import word_ranges

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "apps" / "strip.py"
GEMMA = Path(__file__).parents[3] / "shared" / "data" / "gemma3-tokenizer"
REPORT = (
    "There is a small left-sided pneumothorax, 3.5 cm; no cardiomegaly.\n\n"
    "* **Effusion:** none (the heart's size is normal)."
)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The report as Gemma cuts it, a text for each token."""
    if not GEMMA.is_dir():
        pytest.skip("Gemma's tokenizer is not part of the repository.")
    from transformers import GemmaTokenizer

    from medgemma_dash.models.text_pieces import text_pieces

    folder = tmp_path_factory.mktemp("gemma")
    folder.joinpath("tokenizer.json").write_bytes(
        lzma.decompress(GEMMA.joinpath("tokenizer.json.xz").read_bytes())
    )
    settings = "tokenizer_config.json"
    folder.joinpath(settings).write_bytes(GEMMA.joinpath(settings).read_bytes())
    tokenizer = GemmaTokenizer.from_pretrained(folder)
    ids = tokenizer(REPORT, add_special_tokens=False).input_ids
    return text_pieces(tokenizer, ids)


@pytest.fixture
def strip(page: Page, serve_app, texts: list[str], tmp_path_factory) -> Page:
    file = tmp_path_factory.getbasetemp() / "report-in-gemmas-tokens.json"
    file.write_text(json.dumps(texts), "utf-8")
    page.goto(f"{serve_app(APP, STRIP_TEXTS=str(file))}/?case=file")
    expect(page.locator("[data-token-index]")).to_have_count(len(texts))
    return page


def ranges(texts: list[str]) -> tuple[tuple[int, int], ...]:
    return word_ranges(
        [Token(index, 1, text, index, 0.9, False) for index, text in enumerate(texts)]
    )


def words_of(texts: list[str]) -> dict[str, tuple[int, int]]:
    return {"".join(texts[slice(*word)]).strip(): word for word in ranges(texts)}


def option(page: Page, text: str) -> Locator:
    return page.get_by_role("option").filter(has_text=re.compile(f"^{re.escape(text)}$"))


def token(page: Page, index: int) -> Locator:
    return page.locator(f'[data-token-index="{index}"]')


def expect_log(page: Page, *choices: tuple[int, int]) -> None:
    log = json.dumps([[*choice, False] for choice in choices])
    expect(page.get_by_text(f"log {log}", exact=True)).to_be_visible()


def expect_selected(page: Page, start: int, stop: int) -> None:
    boxed = page.locator("[data-token-index].selected")
    expect(boxed).to_have_count(stop - start)
    found = boxed.evaluate_all("all => all.map(one => Number(one.dataset.tokenIndex))")
    assert found == list(range(start, stop))


def test_the_strip_shows_the_report_and_offers_its_words(strip: Page, texts: list[str]) -> None:
    assert "".join(texts) == REPORT
    assert strip.locator(".token-strip .words").text_content() == REPORT
    words = words_of(texts)
    assert {"left-sided", "pneumothorax", "3.5", "cardiomegaly", "Effusion", "heart's"} <= set(
        words
    )
    expect(strip.get_by_role("option")).to_have_count(len(ranges(texts)))
    expect(strip.locator(".token-strip .unit")).to_have_count(len(ranges(texts)))
    strip.get_by_role("switch", name="single tokens").click()
    expect(strip.get_by_role("option")).to_have_count(len(texts))
    expect(strip.locator(".token-strip .unit")).to_have_count(len(texts))


@pytest.mark.parametrize("word", ["pneumothorax", "left-sided", "3.5", "cardiomegaly", "heart's"])
def test_a_click_on_any_token_chooses_the_word_and_alt_click_that_token(
    strip: Page, texts: list[str], word: str
) -> None:
    start, stop = words_of(texts)[word]
    visible = [index for index in range(start, stop) if texts[index].strip()]
    assert len(visible) > 1
    token(strip, visible[-1]).click()
    expect_log(strip, (start, stop))
    expect_selected(strip, visible[0], stop)
    # It is one choice, and the only one.
    expect(strip.locator('.token-strip [aria-selected="true"]')).to_have_count(1)
    expect(option(strip, word)).to_have_attribute("aria-selected", "true")

    token(strip, visible[1]).click(modifiers=["Alt"])
    expect_log(strip, (start, stop), (visible[1], visible[1] + 1))
    expect_selected(strip, visible[1], visible[1] + 1)
    expect(option(strip, word)).to_have_attribute(
        "aria-label", re.compile(f"of it chosen: {re.escape(texts[visible[1]].strip())}$")
    )


def test_a_blank_line_is_of_the_word_before_it_and_a_phrase_is_of_whole_words(
    strip: Page, texts: list[str]
) -> None:
    words = words_of(texts)
    full_stop, pneumothorax = words["."], words["pneumothorax"]
    assert texts[full_stop[1] - 1] == "\n\n"
    token(strip, full_stop[0]).click()
    expect_log(strip, full_stop)
    expect_selected(strip, full_stop[0], full_stop[1] - 1)
    token(strip, pneumothorax[0] + 1).click(modifiers=["Shift"])
    expect_log(strip, full_stop, (pneumothorax[0], full_stop[1]))
