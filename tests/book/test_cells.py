"""What the Korean edition shows in its cells and figures: `book.cells`, with the catalogue of `aebook.language`."""

import re
from collections import Counter
from copy import deepcopy
from functools import cache

import nbformat
import pytest
from bs4 import BeautifulSoup

from book import cells
from tools import built

CHAPTERS = [page for page in built.english_pages() if page.startswith("notebooks/")]
each_chapter = pytest.mark.parametrize("page", CHAPTERS)
# Names and abbreviations; a word with a digit, a dot, an underscore or a quote in it is code.
NAMES = set(re.findall(r"\w+", """
    MNIST Fashion PCA BCE MSE PSNR SSIM AUC dB JPEG PNG WebP GB ms ReLU XLA Keras PyTorch JAX Adadelta nadam adam
    mse Keraspp Chollet Geron Linux AMD EPYC Python keras tensorflow torch jax numpy cpu None tuple list dict int
    relu InputLayer
"""))  # fmt: skip


def words(text):
    """The English words of a text that are no names and no code."""
    code = re.sub(r"\S*[\w.]+_\w+\S*|(\w+=)?'[^']*'|\"[^\"]*\"|\w+\.\w+", " ", text)
    return set(re.findall(r"(?<!\w)[A-Za-z]{2,}(?!\w)", code)) - NAMES


def numbers(text):
    return Counter(re.findall(r"\d(?:[\d.,]*\d)?", text))


@cache
def both(page):
    """The code cells of a chapter that the page shows, in English and in Korean."""
    english = nbformat.read(built.ROOT / f"{page}.ipynb", as_version=4)
    korean = deepcopy(english)
    cells.translate(korean, "ko", cells.figures_of(cells.ROOT, page))
    pairs = zip(english.cells, korean.cells, strict=True)
    return [(a, b) for a, b in pairs if a.cell_type == "code" and "remove-cell" not in a.metadata.get("tags", ())]


def shown(cell):
    """What a cell prints, and the words of its tables, a line each."""
    for output in cell.outputs:
        if html := output.get("data", {}).get("text/html"):
            yield from BeautifulSoup(html, "html.parser").stripped_strings
        elif "text" in output:
            yield from output.text.split("\n")


@each_chapter
def test_what_is_printed_is_korean_and_has_the_same_numbers(page):
    for english, korean in both(page):
        assert not {line for line in shown(korean) if words(line)}, english.id
        assert numbers("\n".join(shown(english))) == numbers("\n".join(shown(korean)))


@each_chapter
def test_only_comments_of_settings_differ_in_the_code(page):
    for english, korean in both(page):
        if "parameters" in english.metadata.get("tags", ()):
            assert re.sub("  # .*", "", english.source) == re.sub("  # .*", "", korean.source)
            assert not words(" ".join(re.findall("  # (.*)", korean.source)))
        else:
            assert english.source == korean.source


@each_chapter
def test_every_figure_with_words_is_korean_with_the_same_numbers(page):
    """`make execute STORED=1` draws what is missing."""
    figures = cells.figures_of(cells.ROOT, page)
    for english, korean in both(page):
        for old, new in zip(english.outputs, korean.outputs, strict=True):
            if png := old.get("data", {}).get("image/png"):
                texts = figures[cells.key(png)]["texts"]
                assert not {text for text in texts.values() if words(text)}, english.id
                assert all(numbers(a) == numbers(b) for a, b in texts.items())
                assert new.data["image/png"] == figures[cells.key(png)]["png"]


def test_the_cell_that_loads_a_language_is_folded_and_no_part_of_the_page():
    cell = cells.load_cell("ko")
    assert 'os.environ["AEBOOK_LANGUAGE"] = "ko"' in cell.source and "%load_ext aebook.language" in cell.source
    assert cell.metadata.tags == ["remove-cell"] and cell.metadata.jupyter.source_hidden
