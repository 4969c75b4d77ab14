"""The book as one PDF: `tools.pdf`."""

import re

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from book.editions import EDITIONS
from tools import built, pdf


@pytest.mark.parametrize("language", EDITIONS)
def test_an_edition_in_print(language, page, show_all, soup, tmp_path):
    """Built as one page and printed as `make pdf` does, which takes long: all that is said of it is one test."""
    whole, path = pdf.whole_book(language, tmp_path), tmp_path / "book.pdf"
    page.set_default_timeout(0)
    pdf.print_twice(page, whole, path)
    has_bookmarks_and_the_right_page_numbers(language, whole, path, soup)
    page.set_viewport_size({"width": 658, "height": 900})  # the width of the text on A4: 174 mm
    page.emulate_media(media="print")
    page.goto(whole.as_uri())
    show_all()
    wide = page.evaluate("""[...document.querySelectorAll("article :is(pre, table, img, math)")].filter(
      element => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1
        || element.scrollWidth > element.clientWidth + 1 && element.localName == "pre"
    ).map(element => element.outerHTML.slice(0, 200))""")
    assert wide == [], "is cut off in print"


def has_bookmarks_and_the_right_page_numbers(language, whole, path, soup):
    """Compared are pages, titles and digits: how text is spaced in a PDF depends on the fonts and on Chromium."""
    reader = PdfReader(path)
    place_of = {
        name.lstrip("/"): reader.get_destination_page_number(place) + 1
        for name, place in reader.named_destinations.items()
    }
    article = BeautifulSoup(whole.read_text(encoding="utf-8"), "html.parser").article
    for link in article.select(".headerlink"):
        link.decompose()
    headings = article.select('span[id^="document-"] + section :is(h2, h3)')
    pages = [place_of[f"heading-{number}"] for number in range(len(headings))]
    names = [
        EDITIONS[language].folder + name
        for name in built.english_pages()
        if name not in ("index", "search", "genindex")
    ]
    titles = [squeezed(soup(name).h1.find(string=True)) for name in names]
    assert [squeezed(heading.get_text()) for heading in headings if heading.name == "h2"] == titles
    assert len(pages) > 50 and pages == sorted(pages) and pages[0] > 1

    def bookmarks(entries):
        for entry in entries:
            yield from (
                bookmarks(entry)
                if isinstance(entry, list)
                else [(squeezed(entry.title), reader.get_destination_page_number(entry) + 1)]
            )

    assert {(squeezed(heading.get_text()), page) for heading, page in zip(headings, pages, strict=True)} <= set(
        bookmarks(reader.outline)
    )

    listed = {}  # in the contents: for each of their pages, the numbers of the headings that it lists
    for number, page in enumerate(reader.pages[: pages[0] - 1]):
        links = [annotation.get_object() for annotation in page.get("/Annots", [])]
        targets = dict.fromkeys(str(link.get("/Dest", "")).lstrip("/") for link in links)
        listed[number] = [int(target.removeprefix("heading-")) for target in targets if target.startswith("heading-")]
    assert sum(listed.values(), []) == list(range(len(headings)))
    for number, lines in listed.items():
        lines = [headings[line].get_text() + str(pages[line]) for line in lines]
        assert digits("".join(lines)) in digits(reader.pages[number].extract_text())
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def squeezed(text):
    return re.sub(r"\s+", "", text)


def digits(text):
    return re.sub(r"[^0-9]", "", text)
