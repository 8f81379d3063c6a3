"""What every browser test relies on: that nothing that goes wrong on a page goes unseen."""

import pytest
from playwright.sync_api import Page

from tests.browser.looking import assert_unblemished

pytestmark = pytest.mark.browser

BOX_FOR_A_MOMENT = """(kind) => new Promise((done) => {
  const box = document.body.appendChild(document.createElement('div'));
  box.dataset.testid = kind;
  box.textContent = 'Oh no.';
  requestAnimationFrame(() => { box.remove(); requestAnimationFrame(done); });
})"""


@pytest.mark.parametrize("kind", ["stException", "stAlert", "stErrorElementStack", "stDialog"])
def test_a_box_that_stood_there_for_a_moment_fails_the_test(page: Page, kind: str) -> None:
    page.goto("about:blank")
    assert_unblemished(page)
    page.evaluate(BOX_FOR_A_MOMENT, kind)
    with pytest.raises(AssertionError, match="box: Oh no"):
        assert_unblemished(page)


def test_an_outside_address_is_not_reached_and_fails_the_test(page: Page) -> None:
    page.goto("about:blank")
    page.evaluate("fetch('http://outside.invalid/').catch(() => {})")
    with pytest.raises(AssertionError, match=r"outside\.invalid"):
        assert_unblemished(page)


def test_an_uncaught_script_error_fails_the_test(page: Page) -> None:
    page.goto("about:blank")
    page.evaluate(
        "new Promise((done) => setTimeout(() => { setTimeout(done); throw Error('x'); }))"
    )
    with pytest.raises(AssertionError, match="script: x"):
        assert_unblemished(page)
