"""The built pages in a real browser: `make book` makes them, `make test` then looks at them."""

import os
import re
import shutil
import subprocess
import sys
import unicodedata
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from pypdf import PdfReader

from tools import browser

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="there is no Chromium; Debian's package chromium has it"
)
each_page = pytest.mark.parametrize("name", browser.PAGES)
each_edition = pytest.mark.parametrize("language", browser.PRINTED)
FOLDER = {"en": "", "ko": "ko/"}
QUERY = {"search": "?q=denoising", "ko/search": "?q=잡음"}
WIDTHS = (320, 375, 768, 1280)
MEGABYTES = 1.2
SECONDS = 1.5
# A mid-range phone on a good mobile network: a quarter of this processor, 9 Mbit/s, 60 ms there and back.
SLOW_NETWORK = {"offline": False, "latency": 60, "downloadThroughput": 9e6 / 8, "uploadThroughput": 1.5e6 / 8}
SLOW_PROCESSOR = {"rate": 4}
# axe's default rules, and one of its experiments: a name that contains what is to be seen.
RULES = {"preload": False, "rules": {"label-content-name-mismatch": {"enabled": True}}}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SHOW_ALL = """document.querySelectorAll('img').forEach(image => image.loading = 'eager');
document.querySelectorAll('details').forEach(fold => fold.open = true)"""
LARGEST = """new Promise(done => new PerformanceObserver(list => done(list.getEntries().at(-1).startTime)).observe(
  {type: "largest-contentful-paint", buffered: true}))"""
ALL_SHOWN = "[...document.images].every(image => image.complete)"


@pytest.fixture(scope="module")
def chromium():
    with browser.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def address():
    with browser.served(browser.HTML) as address:
        yield address


@pytest.fixture
def page(chromium):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    yield page
    page.close()


@cache
def soup(name):
    return BeautifulSoup((browser.HTML / f"{name}.html").read_text(), "html.parser")


def watch(page, outside, messages):
    """Fill two lists with what the page asks for outside this machine, and with what it writes to the console."""
    local = re.compile(r"(http://127\.0\.0\.1|file:|data:|blob:)")
    page.on("request", lambda request: local.match(request.url) or outside.append(request.url))
    page.on("console", lambda message: messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: messages.append(f"error: {error}"))


def faults_of(chromium, address, name):
    """What a page asks for outside, writes to the console, does against axe's rules, and is wider than the window by.

    Folds are open, and axe looks at the narrowest and at the widest window.
    """
    outside, messages, violations, overflow = [], [], {}, {}
    for scheme in browser.SCHEMES:
        page = chromium.new_page(color_scheme=scheme)
        watch(page, outside, messages)
        page.goto(f"{address}/{name}.html{QUERY.get(name, '')}")
        page.wait_for_load_state("networkidle")
        page.evaluate(SHOW_ALL)
        page.wait_for_function(ALL_SHOWN)
        violations[scheme] = []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            overflow[width] = max(overflow.get(width, 0), page.evaluate(OVERFLOW))
            if width in (WIDTHS[0], WIDTHS[-1]):
                page.wait_for_timeout(500)  # the theme looks anew which blocks scroll and need a stop for the keyboard
                found = Axe().run(page, options=RULES).response["violations"]
                violations[scheme] += [(width, fault["id"], node["html"][:120]) for fault in found for node in fault["nodes"]]
        page.close()
    page = chromium.new_page()
    watch(page, outside, messages)
    page.goto((browser.HTML / f"{name}.html").as_uri())  # without a server, too
    page.wait_for_load_state("networkidle")
    page.close()
    return {"outside": outside, "messages": messages, "violations": violations, "overflow": overflow}


@each_page
def test_a_page_needs_no_network_and_is_accessible_at_every_width(name, chromium, address, capsys):
    faults = faults_of(chromium, address, name)
    counts = ", ".join(f"{len(found)} ({scheme})" for scheme, found in faults["violations"].items())
    with capsys.disabled():
        print(f"\n{name}: {len(faults['outside'])} outside requests, {len(faults['messages'])} console messages, "
              f"axe violations {counts}, "
              f"overflow {', '.join(f'{px} px at {width}' for width, px in faults['overflow'].items())}", end=" ")
    assert faults == {"outside": [], "messages": [], "violations": {"light": [], "dark": []},
                      "overflow": dict.fromkeys(WIDTHS, 0)}


@each_page
def test_a_page_is_light_and_ready_soon(name, chromium, address, capsys):
    """Ready: the largest thing on a phone's first screen is drawn. Of three loads one has to be fast enough, because
    other work on the machine can make a load slower, not faster. Also printed: when the scripts have run."""
    seconds = []
    while len(seconds) < 3 and min(seconds, default=SECONDS) >= SECONDS:
        context = chromium.new_context(viewport={"width": 375, "height": 800}, device_scale_factor=2)
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", SLOW_NETWORK)
        session.send("Emulation.setCPUThrottlingRate", SLOW_PROCESSOR)
        sizes = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.goto(f"{address}/{name}.html", wait_until="load")
        page.wait_for_timeout(300)
        seconds.append(page.evaluate(LARGEST) / 1e3)
        scripts = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd") / 1e3
        page.evaluate(SHOW_ALL)
        page.wait_for_function(ALL_SHOWN)
        page.wait_for_load_state("networkidle")
        context.close()
    megabytes = sum(sizes) / 1e6
    with capsys.disabled():
        print(f"\n{name}: {megabytes:.2f} MB with all images, ready in {min(seconds):.2f} s, scripts {scripts:.2f} s", end=" ")
    assert megabytes < MEGABYTES
    assert min(seconds) < SECONDS


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
            ids = {element["id"] for element in soup(str(Path(target).with_suffix(""))).select("[id]")}
            assert unquote(anchor) in ids, f"{name}: {link['href']} leads to no place on its page"


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
    page.wait_for_function("document.querySelector('#search-results p')?.textContent.includes('완료')")
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


def build(out, address):
    command = [str(Path(sys.executable).parent / "jupyter-book"), "build", str(browser.ROOT), "--path-output", str(out), "--quiet"]
    return subprocess.run(command, env=os.environ | {"AEBOOK_REPOSITORY": address}, capture_output=True, text=True)


def test_buttons_to_colab_and_binder_need_an_address(tmp_path, chromium, monkeypatch):
    if not os.environ.get("AEBOOK_REPOSITORY"):
        assert not re.search("colab|binder", (browser.HTML / "notebooks/6_2_dense.html").read_text())
    assert build(tmp_path, "https://github.com/someone/aebook").returncode == 0
    monkeypatch.setattr(browser, "HTML", tmp_path / "_build" / "html")
    text = (browser.HTML / "notebooks/6_2_dense.html").read_text()
    place = "someone/aebook/blob/launch/notebooks/6_2_dense.ipynb"
    assert f"https://colab.research.google.com/github/{place}" in text
    assert "https://mybinder.org/v2/gh/someone/aebook/launch?urlpath=lab/tree/notebooks/6_2_dense.ipynb" in text
    with browser.served(browser.HTML) as address:
        faults = faults_of(chromium, address, "notebooks/6_2_dense")
    assert faults == {"outside": [], "messages": [], "violations": {"light": [], "dark": []},
                      "overflow": dict.fromkeys(WIDTHS, 0)}


@pytest.mark.parametrize("address", ["github.com/someone", "https://github.com/someone/aebook.git"])
def test_an_address_that_would_give_dead_buttons_is_an_error(address, tmp_path):
    failed = build(tmp_path, address)
    assert failed.returncode != 0
    assert f"AEBOOK_REPOSITORY must be https://github.com/OWNER/NAME, got {address}" in failed.stderr + failed.stdout


@pytest.fixture(scope="module")
def pdfs():
    subprocess.run(["make", "--no-print-directory", "pdf"], cwd=browser.ROOT, check=True)
    return {language: PdfReader(path) for language, (_, path) in browser.PRINTED.items()}


@each_edition
def test_a_pdf_has_bookmarks_and_the_right_page_numbers(language, pdfs):
    pdf = pdfs[language]
    names = [FOLDER[language] + name for name in browser.ENGLISH if name not in ("index", "search", "genindex")]
    titles = [soup(name).h1.find(string=True) for name in names]
    first_heading = soup(FOLDER[language] + "index").article.h2.find(string=True)

    def bookmarks(entries):
        for entry in entries:
            yield from bookmarks(entry) if isinstance(entry, list) else [entry]

    def spaceless(text):
        return re.sub(r"\s+", "", text)

    words = {spaceless(entry.title): entry for entry in bookmarks(pdf.outline)}
    def letters(title):  # a pattern that finds a title across lines
        return r"\s*".join(map(re.escape, spaceless(title)))

    text = unicodedata.normalize("NFKC", "".join(pdf.pages[number].extract_text() for number in (1, 2)))  # no ligatures
    contents = re.split(letters(first_heading), text)[0]
    for title in titles:
        number = pdf.get_destination_page_number(words[spaceless(title)]) + 1
        assert re.search(rf"{letters(title)}\s*{number}\b", contents), (title, number)
    numbers = [int(number) for number in re.findall(r" (\d+)(?= [A-Z6가-힣]|$)", " ".join(contents.split()))]
    assert len(numbers) > 50 and numbers == sorted(numbers)
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]


@each_edition
def test_nothing_is_cut_off_in_print(language, pdfs, page):
    page.set_viewport_size({"width": 658, "height": 900})  # the width of the text on A4: 174 mm
    page.emulate_media(media="print")
    page.goto(browser.PRINTED[language][0].as_uri())
    page.evaluate(SHOW_ALL)
    wide = page.evaluate("""[...document.querySelectorAll("article :is(pre, table, img, math)")].filter(
      element => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1
        || element.scrollWidth > element.clientWidth + 1 && element.localName == "pre").map(element => element.outerHTML.slice(0, 200))""")
    assert wide == []
