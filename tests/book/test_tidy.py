"""What is done to the pages, piece by piece; test_pages.py looks at the whole in a browser."""

import shutil
from pathlib import Path

import nbformat
import pytest

from book import pages as book_pages
from tools import launch

ROOT = Path(__file__).parents[2]
PAGE = """<html><head><script src="scripts/fontawesome.js"></script><script src="doctools.js"></script></head><body>
<div class="sidebar-primary-item"><a class="navbar-brand" href="#">Book</a></div>
<article><h1>Title</h1><p>{words}</p><div class="cell_output"><table><tr><th></th><th>a</th></tr></table></div>
<img alt="" src="one.png"/><img alt="" src="other.png"/>
<script>console.log("hello"); run();</script></article></body></html>"""


@pytest.fixture(scope="module")
def tidied():
    return book_pages.tidy(PAGE.format(words="word " * 500), {"one.png": (20, 10)}.get)


def test_unused_scripts_go_and_the_others_stay(tidied):
    assert "fontawesome" not in tidied and "doctools.js" in tidied
    assert "console" not in tidied and "run();" in tidied


def test_a_page_gets_what_a_screen_reader_needs(tidied):
    assert '<nav aria-label="Cover" class="sidebar-primary-item">' in tidied
    assert tidied.count("<th>") == 1
    assert '<div class="pst-scrollable-table-container" tabindex="0"><table>' in tidied


def test_images_know_their_size(tidied):
    assert '<img alt="" height="10" loading="lazy" src="one.png" width="20"/>' in tidied
    assert '<img alt="" src="other.png"/>' in tidied


@pytest.mark.parametrize("words, note", [
    (10, ""), (500, '<p class="reading-time">2 min read</p>'), (1000, '<p class="reading-time">5 min read</p>'),
])
def test_reading_time(words, note):
    page = book_pages.tidy(PAGE.format(words="word " * words), lambda src: None)
    assert note in page and ("min read" in page) == bool(note)


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_for_colab_begins_with_the_cell_that_fetches_the_book(path, tmp_path):
    copy = Path(shutil.copy(path, tmp_path))
    launch.add_first_cell(copy, "https://github.com/someone/aebook")
    before, after = nbformat.read(path, as_version=4), nbformat.read(copy, as_version=4)
    assert after.cells[1:] == before.cells
    assert "git clone --quiet --depth 1 https://github.com/someone/aebook book" in after.cells[0].source


def test_the_search_index_holds_every_beginning_of_a_korean_word():
    words = book_pages.SearchKorean({}).split("오토인코더는 ReLU를 쓴다")
    assert {"오토인코더", "오토인코더는", "ReLU", "를", "쓴다"} <= set(words) and "ReLU를" not in words


def test_a_page_with_a_name_gets_the_way_to_the_other_edition():
    html = PAGE.format(words="word").replace("</article>", '<div class="article-header-buttons"></div></article>')
    page = book_pages.tidy(html, lambda src: None, "ko", "notebooks/one")
    assert 'href="../../notebooks/one.html" hreflang="en" lang="en">English</a>' in page
    assert '<link href="../../ko/notebooks/one.html" hreflang="ko" rel="alternate"/>' in page
