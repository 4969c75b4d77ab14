"""What a reader does with the built pages: search, change the language or the colors, go by keyboard, download."""

import re
from pathlib import Path

import pytest

from book.editions import EDITIONS
from tools import built

each_edition = pytest.mark.parametrize("language", EDITIONS)


def test_the_search_finds_a_page(page, address):
    page.goto(f"{address}/index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("denoising")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=denoising")
    page.locator("#search-results").get_by_role("link", name="6.4 What the code is good for").first.press("Enter")
    page.wait_for_url("**/notebooks/uses.html*")


@pytest.mark.parametrize("noun", ["오토인코더", "부호", "값"])
def test_the_korean_search_finds_a_noun_whatever_follows_it(noun, page, address, soup, wait_for_results):
    """Found is each page where the noun stands, even if it never stands there without a particle."""
    korean = [name for name in built.all_pages() if name.startswith("ko/") and soup(name).article]
    texts = {name: soup(name).article.get_text() for name in korean}
    with_particle = {f"{name}.html" for name, text in texts.items() if re.search(rf"(?<![가-힣]){noun}[가-힣]", text)}
    page.goto(f"{address}/ko/search.html?q={noun}")
    wait_for_results()
    links = page.locator("#search-results li > a").evaluate_all("links => links.map(link => link.pathname.slice(1))")
    assert with_particle and with_particle <= set(links)


def test_the_language_switch_keeps_the_section(page, address):
    page.goto(f"{address}/notebooks/6_2_dense.html")
    page.evaluate("document.querySelector('#training').scrollIntoView({behavior: 'instant'})")
    page.get_by_role("link", name="한국어", exact=True).dispatch_event("click")  # click() would scroll
    page.wait_for_url("**/ko/notebooks/6_2_dense.html#training")
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    page.get_by_role("link", name="English", exact=True).dispatch_event("click")
    page.wait_for_url(re.compile(r"/notebooks/6_2_dense\.html$"))


@pytest.mark.parametrize(
    "languages, offers", [("ko-KR", [True, False]), ("en-GB", [False, True]), ("de-DE", [False, False])]
)
def test_the_browsers_language_is_offered_until_it_is_answered(languages, offers, chromium, address):
    context = chromium.new_context(locale=languages)
    page = context.new_page()
    for edition, offered in zip(EDITIONS.values(), offers, strict=True):
        page.goto(f"{address}/{edition.folder}index.html")  # which stays, whatever the browser prefers
        offer = page.locator(".language-offer")
        assert offer.is_visible() == offered
        if offered:
            offer.get_by_role("button").click()
            assert offer.is_hidden()
            page.reload()
            assert offer.is_hidden()
    context.close()


@each_edition
def test_the_keyboard_reaches_the_text_and_the_folds(language, page, address):
    page.goto(f"{address}/{EDITIONS[language].folder}notebooks/6_2_dense.html")
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.textContent").strip()
    assert first == {"en": "Skip to main content", "ko": "본문으로 건너뛰기"}[language]
    page.keyboard.press("Enter")
    fold = page.locator("article details").first
    assert fold.get_attribute("open") is None
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.localName") == "summary":
            break
    page.keyboard.press("Enter")
    assert fold.get_attribute("open") is not None


def test_the_switch_goes_through_light_and_dark_without_a_word(page, address, wait_for_rest):
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(f"{address}/index.html")
    seen = set()
    for _ in range(3):
        page.locator(".theme-switch-button:visible").click()
        wait_for_rest()
        seen.add(
            page.evaluate("document.documentElement.dataset.theme + getComputedStyle(document.body).backgroundColor")
        )
    assert len(seen) == 2 and any(theme.startswith("dark") for theme in seen)
    assert messages == []


def test_the_first_figure_is_seen_whole_on_a_phone(page, address):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/notebooks/6_1_principle.html")
    widths = page.locator("#fig-curve .pst-scrollable-table-container").evaluate(
        "box => [box.scrollWidth, box.clientWidth]"
    )
    assert widths[0] == widths[1] > 300


@each_edition
def test_the_six_sentences_on_claims_are_on_the_first_screen(language, page, address):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{address}/{'' if language == 'en' else f'{language}/'}notebooks/claims.html")
    for seen in (page.locator("article ol > li").nth(5), page.locator("article img").first):
        box = seen.bounding_box()
        assert box["y"] + box["height"] <= 800


@each_edition
@pytest.mark.parametrize("name", [page for page in built.english_pages() if page.startswith("notebooks/")])
def test_a_chapter_can_be_downloaded_and_read_on(name, language, page, address):
    button, minutes = {
        "en": ("Download this page", r"\d+ min read"),
        "ko": ("이 페이지 내려받기", r"읽는 데 약 \d+분"),
    }[language]
    page.goto(f"{address}/{EDITIONS[language].folder}{name}.html")
    page.get_by_role("button", name=button).click()
    with page.expect_download() as download:
        page.locator(".article-header-buttons").get_by_role("link", name=".ipynb").click()
    readers = built.HTML / EDITIONS[language].folder / "readers" / f"{Path(name).name}.ipynb"
    assert Path(download.value.path()).read_bytes() == readers.read_bytes()
    assert page.locator("a.left-prev").count() == page.locator("a.right-next").count() == 1
    assert re.fullmatch(minutes, page.locator(".reading-time").inner_text())
