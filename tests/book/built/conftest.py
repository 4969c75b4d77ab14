"""For tests of the built pages: a browser, an address to serve them at, and what is wrong with a page in a browser."""

import re
from functools import cache

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from bs4 import BeautifulSoup

from tools import built

PATIENCE = 300_000  # milliseconds: a page that needs longer hangs
QUERY = {"search": "?q=denoising", "ko/search": "?q=잡음"}
WIDTHS = (320, 375, 768, 1280)
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
# After a change of the colors or of the width: the theme has followed, and nothing is moving.
NOTHING_MOVES = "document.getAnimations().length == 0"
SCHEME_IS_SET = f"scheme => document.documentElement.dataset.theme == scheme && {NOTHING_MOVES}"
# The theme makes what scrolls a stop for the keyboard, and nothing else, a moment after the width has changed.
# Where the layout was later than that, as on a busy machine, it is told of a change again, a second later.
STOPS_ARE_SET = """() => {
  const set = [...document.querySelectorAll("pre, .cell_output > .output, .pst-scrollable-table-container")].every(
    block => (block.tabIndex == 0) ==
      (block.scrollWidth > block.clientWidth || block.scrollHeight > block.clientHeight))
  if (!set && performance.now() > (window.again ??= performance.now() + 1000)) {
    window.again += 1000
    dispatchEvent(new Event("resize"))
  }
  return set
}"""


@pytest.fixture(scope="session")
def address():
    with built.served(built.HTML) as address:
        yield address


@pytest.fixture
def page(chromium):
    """An empty page of the browser, with its patience."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()


@pytest.fixture
def show_all(page):
    """Loads the images of the page that the browser shows, and opens its folds."""
    return lambda: page.evaluate(SHOW_ALL)


@pytest.fixture
def wait_for_results(page):
    """Waits until the page of the search has found all that it finds."""
    return lambda: page.wait_for_function(SEARCHED)


@pytest.fixture
def wait_for_rest(page):
    """Waits until nothing moves on the page."""
    return lambda: page.wait_for_function(NOTHING_MOVES)


@pytest.fixture(scope="session")
def soup():
    """The HTML of a page of the book by its name."""

    @cache
    def read(name):
        return BeautifulSoup((built.HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser")

    return read


@pytest.fixture
def look_at(page, show_all, wait_for_results):
    """What is wrong with a page in a browser, a line each, and its weight in megabytes, with all images.

    It must ask for nothing outside this machine, write nothing to the console, pass axe's rules and fit the window.
    Folds are open. axe looks at the narrowest and at the widest window, in light and in dark; at a Korean page, which
    is the English one with other words, at the narrow one in dark and at the wide one in light.
    """

    def look(html, address, name):
        faults, sizes = [], []
        narrow, wide = (["dark"], ["light"]) if name.startswith("ko/") else (built.SCHEMES, built.SCHEMES)
        local = re.compile(r"(http://127\.0\.0\.1|file:|data:|blob:)")
        page.on("request", lambda request: local.match(request.url) or faults.append(f"asks for {request.url}"))
        page.on("console", lambda message: faults.append(f"writes to the console: {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"has an error in a script: {error}"))
        page.emulate_media(color_scheme="dark")
        page.goto((html / f"{name}.html").as_uri())  # without a server, too
        page.wait_for_load_state("networkidle")
        page.emulate_media(color_scheme="light")
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.goto(f"{address}/{name}.html")
        page.wait_for_load_state("networkidle")
        show_all()
        page.wait_for_function(ALL_SHOWN)
        megabytes = sum(sizes) / 1e6
        if name in QUERY:
            page.goto(f"{address}/{name}.html{QUERY[name]}")
            wait_for_results()
            page.wait_for_load_state("networkidle")  # the excerpts
        page.evaluate(AXE_SCRIPT)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if wider := page.evaluate(OVERFLOW):
                faults.append(f"is {wider} pixels wider than a window of {width}")
            for scheme in narrow if width == WIDTHS[0] else wide if width == WIDTHS[-1] else ():
                page.emulate_media(color_scheme=scheme)
                page.wait_for_function(SCHEME_IS_SET, arg=scheme)
                page.wait_for_function(STOPS_ARE_SET)
                faults += [f"{fault} ({scheme}, {width})" for fault in page.evaluate(VIOLATIONS, RULES)]
        return faults, megabytes

    return look
