"""The whole program with Gemma's own tokenizer: a word of several tokens, and one of them."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.explain_page import MAP, SELECTED, explain, idle, newest, sentence

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
MINIATURE = ROOT.parent / "shared" / "tools" / "miniature.py"
OF_SEVERAL = ".token-strip .word.unit"


@pytest.fixture(scope="module")
def miniature_url(serve_app, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program with a narrow random MedGemma that has Gemma 3's tokenizer and vocabulary."""
    if not MINIATURE.exists():
        pytest.skip("Gemma's tokenizer is not part of the repository.")
    folder = tmp_path_factory.mktemp("miniature")
    subprocess.run([sys.executable, MINIATURE, folder, "--small-images"], check=True)
    return serve_app(ROOT / "Home.py", MEDGEMMA_DASH_MODEL=str(folder))


def test_a_click_explains_a_word_of_several_tokens_and_alt_click_one_of_them(
    page: Page, miniature_url: str
) -> None:
    explain(page, miniature_url)
    word = page.locator(f"{OF_SEVERAL}:not(:has(.selected))").first
    tokens = word.locator("[data-token-index]")
    indices = tokens.evaluate_all("all => all.map(one => Number(one.dataset.tokenIndex))")
    assert len(indices) > 1

    before = newest(page, MAP).get_attribute("href") or ""
    newest(page, f'[data-token-index="{indices[-1]}"]').click()
    expect(page.locator(SELECTED)).to_have_count(len(indices))
    expect(sentence(page)).to_contain_text("The model gave it, in ")
    expect(newest(page, MAP)).not_to_have_attribute("href", before)
    of_word = newest(page, MAP).get_attribute("href") or ""

    newest(page, f'[data-token-index="{indices[-1]}"]').click(modifiers=["Alt"])
    expect(page.locator(SELECTED)).to_have_count(1)
    expect(newest(page, SELECTED)).to_have_attribute("data-token-index", str(indices[-1]))
    expect(sentence(page)).not_to_contain_text("The model gave it, in ")
    idle(page)  # until then an earlier picture may stand beside the new one
    expect(newest(page, MAP)).not_to_have_attribute("href", of_word)
