"""The still figures of what a reader can touch, for paper and for pages without scripts: `make stills`."""

import io
import sys
from collections.abc import Callable

from PIL import Image
from playwright.sync_api import Locator, Page

from tools.built import HTML, ROOT, chromium

STILLS = ROOT / "static" / "explorer"
DENSITY = 2
# What can be pressed or read beside the pictures has no use in a figure.
STYLE = """
.explorer-part { padding: 0; border: 0; }
:is(.explorer-title, .explorer-lead, .explorer-note, .explorer-buttons, .explorer-frame, .explorer-tests,
  .explorer-first, .explorer-second, .explorer-actions, .explorer-ends, .explorer-slider, .explorer-settings,
  .explorer-row, .explorer-numbers, .explorer-goto) { display: none !important; }
.explorer-draw { row-gap: 0.5rem !important; }
.explorer-level:has(:checked) { outline: none !important; }
"""
FOUR = ([(0.28, 0.15), (0.25, 0.5), (0.68, 0.52)], [(0.62, 0.18), (0.58, 0.88)])
PULLED = ((3, 0.9), (10, 0.8), (16, 0.1), (22, 0.95))
STOPPED = "document.querySelectorAll('.explorer-train button')[1].disabled"


def drag(page: Page, thing: Locator, places: list[tuple[float, float]]) -> None:
    """Drag over a thing, from place to place; its own sides have the length 1."""
    box = thing.bounding_box()
    assert box, "it is to be seen"
    for number, (x, y) in enumerate(places):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
        if number == 0:
            page.mouse.down()
    page.mouse.up()


def draw(page: Page, part: Locator) -> None:
    for stroke in FOUR:
        drag(page, part.locator(".explorer-pad"), stroke)
    page.mouse.move(0, 0)


def turn(page: Page, part: Locator) -> None:
    for place, share in PULLED:
        drag(page, part.locator(".explorer-level").nth(place), [(0.5, 0.5), (0.5, 1 - share)])


def walk(page: Page, part: Locator) -> None:
    part.get_by_role("slider").fill("0.5")


def go(page: Page, part: Locator) -> None:
    drag(page, part.locator(".explorer-sheet"), [(0.6, 0.3), (0.7, 0.25)])


def train(page: Page, part: Locator) -> None:
    for optimizer, rate in (("nadam", "0.01"), ("adadelta", "1")):
        part.locator("select").nth(0).select_option(optimizer)
        part.locator("select").nth(1).select_option(rate)
        part.get_by_role("button", name="Start").click()
        page.wait_for_function(STOPPED, timeout=600_000)


ACTS: dict[str, Callable[[Page, Locator], None]] = {"draw": draw, "turn": turn, "walk": walk, "map": go, "train": train}


def main() -> str | int:
    """Write a figure for each part; an error, or 0."""
    STILLS.mkdir(exist_ok=True)
    try:
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900}, device_scale_factor=DENSITY)
            page.goto((HTML / "explore.html").as_uri())
            page.keyboard.press("Tab")  # all parts come
            for name, act in ACTS.items():
                part = page.locator(f".explorer-part[data-part={name}]")
                part.wait_for()
                part.scroll_into_view_if_needed()
                act(page, part)
            page.add_style_tag(content=STYLE)
            for name in ACTS:
                body = page.locator(f".explorer-part[data-part={name}] .explorer-body")
                with Image.open(io.BytesIO(body.screenshot())) as image:
                    few = image.convert("RGB").quantize(64, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
                    few.save(STILLS / f"{name}.png", optimize=True, dpi=(96 * DENSITY, 96 * DENSITY))
    except FileNotFoundError as error:
        return str(error)
    print(f"The still figures are in {STILLS.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
