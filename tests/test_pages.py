"""The built pages in a real browser: `make book` makes them, `make test` then looks at them."""

import os
import re
import shutil
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urldefrag, urljoin

import nbformat
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from bs4 import BeautifulSoup
from pypdf import PdfReader
from sphinx.errors import ConfigError

from tools import book_pages, browser

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="there is no Chromium; Debian's package chromium has it"
)
each_page = pytest.mark.parametrize("name", browser.PAGES)
each_edition = pytest.mark.parametrize("language", browser.PRINTED)
# One process makes the PDF of an edition, for all tests of it.
each_pdf = pytest.mark.parametrize("language", [
    pytest.param(language, marks=pytest.mark.xdist_group(f"pdf {language}")) for language in browser.PRINTED
])
FOLDER = {"en": "", "ko": "ko/"}
QUERY = {"search": "?q=denoising", "ko/search": "?q=잡음"}
WIDTHS = (320, 375, 768, 1280)
MEGABYTES = 1.2
PATIENCE = 300_000  # milliseconds: a page that needs longer hangs
# axe's default rules, and one of its experiments: a name that contains what is to be seen.
RULES = {"preload": False, "resultTypes": ["violations"], "rules": {"label-content-name-mismatch": {"enabled": True}}}
# axe needs milliseconds for the contrast of each word of a listing. What has the same letters, before the same
# backgrounds, as something that passed, passes; all else is measured.
VIOLATIONS = """options => {
  const contrast = axe._audit.checks["color-contrast"], backgrounds = new Map();
  contrast.measure ??= contrast.evaluate;
  contrast.passed ??= new Set();
  const behind = element => {
    if (element && !backgrounds.has(element)) {
      const {backgroundColor, backgroundImage, opacity} = getComputedStyle(element);
      backgrounds.set(element, [behind(element.parentElement), backgroundColor, backgroundImage, opacity].join());
    }
    return backgrounds.get(element);
  };
  contrast.evaluate = function (element, ...others) {
    const {color, fontSize, fontWeight, textShadow} = getComputedStyle(element);
    const look = [behind(element), color, fontSize, fontWeight, textShadow].join();
    if (contrast.passed.has(look)) return true;
    const result = contrast.measure.call(this, element, ...others);
    if (result === true) contrast.passed.add(look);
    return result;
  };
  return axe.run(options).then(found => found.violations.flatMap(
    fault => fault.nodes.map(node => `${fault.id}: ${node.html.slice(0, 120)}`)));
}"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SHOW_ALL = """document.querySelectorAll('img').forEach(image => image.loading = 'eager');
document.querySelectorAll('details').forEach(fold => fold.open = true)"""
ALL_SHOWN = "[...document.images].every(image => image.complete)"
SEARCHED = "/finished|완료/.test(document.querySelector('#search-results p')?.textContent)"
# After a change of the colours or of the width: the theme has followed, and nothing is moving.
NOTHING_MOVES = "document.getAnimations().length == 0"
SCHEME_IS_SET = f"scheme => document.documentElement.dataset.theme == scheme && {NOTHING_MOVES}"
# The theme makes what scrolls a stop for the keyboard, and nothing else, a moment after the width has changed.
STOPS_ARE_SET = """[...document.querySelectorAll("pre, .cell_output > .output, .pst-scrollable-table-container")].every(
  block => (block.tabIndex == 0) == (block.scrollWidth > block.clientWidth || block.scrollHeight > block.clientHeight))"""


@pytest.fixture(scope="session")
def address():
    with browser.served(browser.HTML) as address:
        yield address


@pytest.fixture
def page(chromium):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()


@cache
def soup(name):
    return BeautifulSoup((browser.HTML / f"{name}.html").read_text(), "html.parser")


@cache
def ids(path):
    return set(re.findall(r'\sid="([^"]*)"', path.read_text()))


def watch(page, outside, messages):
    """Fill two lists with what the page asks for outside this machine, and with what it writes to the console."""
    local = re.compile(r"(http://127\.0\.0\.1|file:|data:|blob:)")
    page.on("request", lambda request: local.match(request.url) or outside.append(request.url))
    page.on("console", lambda message: messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: messages.append(f"error: {error}"))


def faults_of(page, html, address, name):
    """What a page asks for outside, writes to the console, does against axe's rules, and is wider than the window by;
    and its weight in megabytes, with all images.

    Folds are open. axe looks at the narrowest and at the widest window, in light and in dark.
    """
    outside, messages, sizes, violations, overflow = [], [], [], {}, {}
    watch(page, outside, messages)
    page.emulate_media(color_scheme="dark")
    page.goto((html / f"{name}.html").as_uri())  # without a server, too
    page.wait_for_load_state("networkidle")
    page.emulate_media(color_scheme="light")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(f"{address}/{name}.html")
    page.wait_for_load_state("networkidle")
    page.evaluate(SHOW_ALL)
    page.wait_for_function(ALL_SHOWN)
    megabytes = sum(sizes) / 1e6
    if name in QUERY:
        page.goto(f"{address}/{name}.html{QUERY[name]}")
        page.wait_for_function(SEARCHED)
        page.wait_for_load_state("networkidle")  # the excerpts
    page.evaluate(AXE_SCRIPT)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in browser.SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(SCHEME_IS_SET, arg=scheme)
            overflow[width] = max(overflow.get(width, 0), page.evaluate(OVERFLOW))
            if width in (WIDTHS[0], WIDTHS[-1]):
                page.wait_for_function(STOPS_ARE_SET)
                violations[scheme, width] = page.evaluate(VIOLATIONS, RULES)
    return {"outside": outside, "messages": messages, "violations": violations, "overflow": overflow}, megabytes


NO_FAULTS = {"outside": [], "messages": [], "overflow": dict.fromkeys(WIDTHS, 0),
             "violations": {(scheme, width): [] for scheme in browser.SCHEMES for width in (WIDTHS[0], WIDTHS[-1])}}


@pytest.fixture(scope="session")
def printed(chromium, tmp_path_factory):
    """Builds an edition as one page, prints it, and gives the paths of both, as `make pdf` does; each edition once."""
    @cache
    def make(language):
        out = tmp_path_factory.mktemp("pdf")
        whole = browser.whole_book(language, out)
        page = chromium.new_page()
        page.set_default_timeout(PATIENCE)
        browser.print_twice(page, whole, out / "book.pdf")
        page.close()
        return whole, out / "book.pdf"
    return make


@each_pdf
def test_a_pdf_has_bookmarks_and_the_right_page_numbers(language, printed):
    """Compared are pages, titles and digits: how text is spaced in a PDF depends on the fonts and on Chromium."""
    whole, path = printed(language)
    pdf = PdfReader(path)
    place_of = {name.lstrip("/"): pdf.get_destination_page_number(place) + 1 for name, place in pdf.named_destinations.items()}
    article = BeautifulSoup(whole.read_text(), "html.parser").article
    for link in article.select(".headerlink"):
        link.decompose()
    headings = article.select('span[id^="document-"] + section :is(h2, h3)')
    pages = [place_of[f"heading-{number}"] for number in range(len(headings))]
    names = [FOLDER[language] + name for name in browser.ENGLISH if name not in ("index", "search", "genindex")]
    titles = [squeezed(soup(name).h1.find(string=True)) for name in names]
    assert [squeezed(heading.get_text()) for heading in headings if heading.name == "h2"] == titles
    assert len(pages) > 50 and pages == sorted(pages) and pages[0] > 1

    def bookmarks(entries):
        for entry in entries:
            yield from bookmarks(entry) if isinstance(entry, list) else [
                (squeezed(entry.title), pdf.get_destination_page_number(entry) + 1)]

    assert {(squeezed(heading.get_text()), page) for heading, page in zip(headings, pages)} <= set(bookmarks(pdf.outline))

    listed = {}  # in the contents: for each of their pages, the numbers of the headings that it lists
    for number, page in enumerate(pdf.pages[: pages[0] - 1]):
        links = [annotation.get_object() for annotation in page.get("/Annots", [])]
        targets = dict.fromkeys(str(link.get("/Dest", "")).lstrip("/") for link in links)
        listed[number] = [int(target.removeprefix("heading-")) for target in targets if target.startswith("heading-")]
    assert sum(listed.values(), []) == list(range(len(headings)))
    for number, lines in listed.items():
        lines = [headings[line].get_text() + str(pages[line]) for line in lines]
        assert digits("".join(lines)) in digits(pdf.pages[number].extract_text())
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]


def squeezed(text):
    return re.sub(r"\s+", "", text)


def digits(text):
    return re.sub(r"[^0-9]", "", text)


@each_page
def test_a_page_is_light_accessible_at_every_width_and_needs_no_network(name, page, address, capsys):
    faults, megabytes = faults_of(page, browser.HTML, address, name)
    with capsys.disabled():
        print(f"\n{name}: {megabytes:.2f} MB with all images", end=" ")
    assert faults == NO_FAULTS
    assert megabytes < MEGABYTES


@each_page
def test_every_image_says_what_it_shows(name):
    for image in soup(name).select("article img"):
        words = image.get("alt", "").split()  # without an alt text Sphinx writes the name of the file
        assert len(words) > 5, f"{name}: {image.get('src')} has the alt text {image.get('alt')!r}"


@each_page
def test_every_link_inside_the_book_leads_somewhere(name):
    here = f"{name}.html"
    for link in soup(name).select("a[href]"):
        if re.match(r"[a-z]+:", link["href"]):
            continue
        target, anchor = urldefrag(urljoin(here, link["href"]))
        path = browser.HTML / unquote(target)
        assert path.is_file(), f"{name}: {link['href']} leads to no file"
        if anchor and path.suffix == ".html":
            assert unquote(anchor) in ids(path), f"{name}: {link['href']} leads to no place on its page"


def test_the_search_finds_a_page(page, address):
    page.goto(f"{address}/index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("denoising")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=denoising")
    page.locator("#search-results").get_by_role("link", name="6.4 What the code is good for").first.press("Enter")
    page.wait_for_url("**/notebooks/uses.html*")


@pytest.mark.parametrize("noun", ["오토인코더", "부호", "값"])
def test_the_korean_search_finds_a_noun_whatever_follows_it(noun, page, address):
    """Found is each page where the noun stands, even if it never stands there without a particle."""
    texts = {name: soup(name).article.get_text() for name in browser.PAGES if name.startswith("ko/") and soup(name).article}
    with_particle = {f"{name}.html" for name, text in texts.items() if re.search(rf"(?<![가-힣]){noun}[가-힣]", text)}
    page.goto(f"{address}/ko/search.html?q={noun}")
    page.wait_for_function(SEARCHED)
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


@pytest.mark.parametrize("languages, offers", [("ko-KR", [True, False]), ("en-GB", [False, True]), ("de-DE", [False, False])])
def test_the_browsers_language_is_offered_until_it_is_answered(languages, offers, chromium, address):
    context = chromium.new_context(locale=languages)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    for folder, offered in zip(FOLDER.values(), offers):
        page.goto(f"{address}/{folder}index.html")  # which stays, whatever the browser prefers
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
    page.goto(f"{address}/{FOLDER[language]}notebooks/6_2_dense.html")
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


def test_the_switch_goes_through_light_and_dark(page, address):
    page.goto(f"{address}/index.html")
    seen = set()
    for _ in range(3):
        page.locator(".theme-switch-button:visible").click()
        page.wait_for_function(NOTHING_MOVES)
        seen.add(page.evaluate("document.documentElement.dataset.theme + getComputedStyle(document.body).backgroundColor"))
    assert len(seen) == 2 and any(theme.startswith("dark") for theme in seen)


@each_edition
@pytest.mark.parametrize("name", [page for page in browser.ENGLISH if page.startswith("notebooks/")])
def test_a_chapter_can_be_downloaded_and_read_on(name, language, page, address):
    button, minutes = {
        "en": ("Download this page", r"\d+ min read"), "ko": ("이 페이지 내려받기", r"읽는 데 약 \d+분"),
    }[language]
    page.goto(f"{address}/{FOLDER[language]}{name}.html")
    page.get_by_role("button", name=button).click()
    with page.expect_download() as download:
        page.get_by_role("link", name=".ipynb").click()
    assert Path(download.value.path()).read_bytes() == (browser.ROOT / f"{name}.ipynb").read_bytes()
    assert page.locator("a.left-prev").count() == page.locator("a.right-next").count() == 1
    assert re.fullmatch(minutes, page.locator(".reading-time").inner_text())


def test_buttons_to_colab_and_binder_need_an_address(tmp_path, page, monkeypatch):
    name = "notebooks/6_2_dense"
    if not os.environ.get(book_pages.ADDRESS):
        assert not re.search("colab|binder", (browser.HTML / f"{name}.html").read_text())
    monkeypatch.setenv(book_pages.ADDRESS, "https://github.com/someone/aebook")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A chapter")])
    html = browser.small_book(tmp_path, {"index.md": "# A book", f"{name}.ipynb": nbformat.writes(notebook)})
    text = (html / f"{name}.html").read_text()
    place = "someone/aebook/blob/launch/notebooks/6_2_dense.ipynb"
    assert f"https://colab.research.google.com/github/{place}" in text
    assert "https://mybinder.org/v2/gh/someone/aebook/launch?urlpath=lab/tree/notebooks/6_2_dense.ipynb" in text
    with browser.served(html) as address:
        assert faults_of(page, html, address, name)[0] == NO_FAULTS


@pytest.mark.parametrize("address", ["github.com/someone", "https://github.com/someone/aebook.git"])
def test_an_address_that_would_give_dead_buttons_is_an_error(address, monkeypatch):
    monkeypatch.setenv(book_pages.ADDRESS, address)
    with pytest.raises(ConfigError, match=f"AEBOOK_REPOSITORY must be https://github.com/OWNER/NAME, got {address}"):
        book_pages.add_launch_buttons(None, SimpleNamespace(html_theme_options={}))


@each_pdf
def test_nothing_is_cut_off_in_print(language, printed, page):
    page.set_viewport_size({"width": 658, "height": 900})  # the width of the text on A4: 174 mm
    page.emulate_media(media="print")
    page.goto(printed(language)[0].as_uri())
    page.evaluate(SHOW_ALL)
    wide = page.evaluate("""[...document.querySelectorAll("article :is(pre, table, img, math)")].filter(
      element => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1
        || element.scrollWidth > element.clientWidth + 1 && element.localName == "pre").map(element => element.outerHTML.slice(0, 200))""")
    assert wide == []
