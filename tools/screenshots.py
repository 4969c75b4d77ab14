"""Pictures of every page at the width of a phone and of a desktop, light and dark: `make screenshots`."""

import sys

from tools.built import HTML, ROOT, SCHEMES, all_pages, chromium, served

WIDTHS = (375, 1280)


def main() -> str | int:
    """Write the pictures into _build/screenshots; an error, or 0."""
    out = ROOT / "_build" / "screenshots"
    out.mkdir(parents=True, exist_ok=True)
    try:
        with chromium() as browser, served(HTML) as address:
            for scheme in SCHEMES:
                for width in WIDTHS:
                    # A browser that prefers neither language is offered none.
                    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900}, locale="de")
                    for name in all_pages():
                        page.goto(f"{address}/{name}.html")
                        page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
                        page.wait_for_load_state("networkidle")
                        page.screenshot(path=out / f"{name.replace('/', '_')}_{width}_{scheme}.png", full_page=True)
                    page.close()
    except FileNotFoundError as error:
        return str(error)
    print(f"The screenshots are in {out.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
