"""How soon a reader sees a page, as a ratio to an empty page of the same theme: `make bench PAGES=1`.

Seen is a page when the largest thing on a phone's first screen is drawn. Each page is loaded three times, each time
next to the empty page, and the shortest times are compared: other work on the machine makes a load slower, not faster.
How quick the explorer is comes last: `tools.touch_times`.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tools.built import HTML, all_pages, chromium, served, small_book
from tools.touch_times import SLOW_PROCESSOR, print_epochs, print_redraws

LOADS = 3
# A mid-range phone on a good mobile network: a quarter of this processor, 9 Mbit/s, 60 ms there and back.
SLOW_NETWORK = {"offline": False, "latency": 60, "downloadThroughput": 9e6 / 8, "uploadThroughput": 1.5e6 / 8}
LARGEST = """new Promise(done => new PerformanceObserver(list => done(list.getEntries().at(-1).startTime)).observe(
  {type: "largest-contentful-paint", buffered: true}))"""
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def milliseconds(browser: Browser, address: str) -> float:
    """Until the largest thing on the first screen is drawn, in a browser that has not seen the book before."""
    context = browser.new_context(viewport={"width": 375, "height": 800}, device_scale_factor=2)
    context.set_default_timeout(0)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW_NETWORK)
    session.send("Emulation.setCPUThrottlingRate", SLOW_PROCESSOR)
    page.goto(address)
    page.evaluate(TWO_FRAMES)
    time = page.evaluate(LARGEST)
    context.close()
    return time


def print_ratios(browser: Browser, book: str, empty: str) -> None:
    """Time every page of the book at an address, each time next to an empty one at another."""
    print(f"Largest contentful paint, the best of {LOADS} loads; the ratio is to the theme's empty page.")
    for name in all_pages():
        times = [
            (milliseconds(browser, f"{book}/{name}.html"), milliseconds(browser, f"{empty}/index.html"))
            for _ in range(LOADS)
        ]
        page, nothing = map(min, zip(*times, strict=True))
        print(f"{page / nothing:5.2f}  {name}  ({page:.0f} ms to {nothing:.0f} ms)", flush=True)


def main() -> str | int:
    """Build an empty page, and time the pages of the book next to it; an error, or 0."""
    try:
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other, chromium() as browser:
            nothing = small_book(Path(folder), {"index.md": "# Empty"})
            with served(nothing) as empty, served(HTML) as book:
                print_ratios(browser, book, empty)
                print_redraws(browser, Path(other))
                print_epochs(browser, book)
    except (FileNotFoundError, RuntimeError) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
