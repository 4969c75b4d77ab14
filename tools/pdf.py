"""Print each edition as one tagged PDF: `make pdf`, with Debian's Chromium."""

import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from book.editions import EDITIONS
from tools.built import ROOT, build, chromium

CONTENTS = """pages => {
  document.querySelector("nav.printed-contents")?.remove();
  const list = document.createElement("nav");
  list.className = "printed-contents";
  const title = document.documentElement.lang == "ko" ? "차례" : "Contents";
  list.append(Object.assign(document.createElement("h2"), {textContent: title}));
  const headings = document.querySelectorAll('article span[id^="document-"] + section :is(h2, h3)');
  for (const [number, heading] of headings.entries()) {
    const id = heading.id = "heading-" + number, line = document.createElement("a");
    const words = heading.cloneNode(true);
    words.querySelector(".headerlink")?.remove();
    line.href = "#" + id;
    line.className = heading.localName == "h2" ? "chapter" : "section";
    const name = Object.assign(document.createElement("span"), {textContent: words.textContent});
    line.append(name, String(pages[id] ?? ""));
    list.append(line);
  }
  document.querySelector("article h2").closest("section").before(list);
  document.querySelectorAll("details").forEach(fold => fold.open = true);
}"""
FOOTER = '<p style="font: 9px sans-serif; width: 100%; text-align: center"><span class="pageNumber"></span></p>'


def printed(language: str) -> Path:
    """Where the PDF of an edition is put."""
    return ROOT / "_build" / ("aebook.pdf" if language == "en" else f"aebook-{language}.pdf")


def whole_book(language: str, out: Path) -> Path:
    """The path of an edition as one page, built into a folder."""
    build(ROOT, out / "singlehtml", "singlehtml", language)
    return out / "singlehtml" / "index.html"


def print_twice(page: Page, whole: Path, path: Path) -> int:
    """Print the book, the first time only to find the pages of its headings; how many pages it has.

    Args:
        page: an empty one of the browser.
        whole: the book as one page.
        path: of the PDF.
    """
    pages: dict[str, int] = {}
    for _ in range(2):
        page.goto(whole.as_uri())  # anew: Chromium breaks pages elsewhere when it prints what it has printed before
        page.evaluate(CONTENTS, pages)
        page.pdf(
            path=path, format="A4", tagged=True, outline=True, display_header_footer=True,
            header_template="<p></p>", footer_template=FOOTER,
            margin={"top": "18mm", "bottom": "20mm", "left": "18mm", "right": "18mm"},
        )  # fmt: skip
        reader = PdfReader(path)
        places = reader.named_destinations.items()
        pages = {name.lstrip("/"): reader.get_destination_page_number(place) + 1 for name, place in places}
    mend_bookmarks(path)
    return len(reader.pages)


def mend_bookmarks(path: Path) -> None:
    """Where Chromium has moved a heading to the next page, its bookmark says the title twice; let it say it once."""
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # Chromium's count of objects is too low, which harms nothing
    writer = PdfWriter(clone_from=path)

    def below(entry: DictionaryObject) -> Iterator[DictionaryObject]:
        child = entry.get("/First")
        while child is not None:
            child = child.get_object()
            yield child
            yield from below(child)
            child = child.get("/Next")

    for entry in below(writer.root_object["/Outlines"]):
        if repeated := re.fullmatch(r"(.+?)\1+", entry["/Title"]):
            entry[NameObject("/Title")] = TextStringObject(repeated[1])
    writer.write(path)


def main() -> str | int:
    """Print every edition; an error, or 0."""
    try:
        with chromium() as browser:
            for language in EDITIONS:
                whole = whole_book(language, ROOT / "_build" / "pdf" / language)
                pages = print_twice(browser.new_page(), whole, printed(language))
                print(f"The book is in {printed(language).relative_to(ROOT)}: {pages} pages.")
    except (FileNotFoundError, RuntimeError) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
