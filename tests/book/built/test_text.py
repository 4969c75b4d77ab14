"""The built book: `make book` makes it, `make test` then looks at it."""

import re
from collections import Counter
from copy import copy
from urllib.parse import urljoin

import nbformat
import pytest
from bs4 import Comment

from aebook.notebooks import figure, glued
from tools import execute
from tools.built import HTML, ROOT, english_pages

ENGLISH = english_pages()
PAGES = [page for page in ENGLISH if page not in ("search", "genindex")]
NOTEBOOKS = [page for page in PAGES if page.startswith("notebooks/")]


NAMES = re.compile(  # what a Korean page says in Latin letters, too
    r"aebook|Ctrl|English|Binder|Colab|\.ipynb|\.pdf|JupyterLab|papermill|Keras|TensorFlow|PyTorch|JAX|XLA|PNG|WebP|JPEG|MNIST|Fashion"
    r"|PCA|BCE|MSE|PSNR|SSIM|AUC|ROC|ReLU|Ada\w+|Adam|Nadam|Dask|AttributeError|KeyError|NameError|SyntaxError|TypeError|ValueError"
)


def html(page):
    return (HTML / f"{page}.html").read_text(encoding="utf-8")


def test_every_notebook_but_the_experiment_has_a_page():
    """The sweep's page says what the experiment does, and has it as a file."""
    stored = {f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert stored - set(NOTEBOOKS) == {"notebooks/one_model"} and set(NOTEBOOKS) <= stored
    (file,) = re.findall(r'href="([^"]+/one_model\.ipynb)"', html("notebooks/sweep"))
    original = ROOT / "notebooks" / "one_model.ipynb"
    assert (HTML / "notebooks" / file).resolve().read_bytes() == original.read_bytes()


@pytest.mark.parametrize("page", [*PAGES, *(f"ko/{page}" for page in PAGES)])
def test_a_page_is_whole(page):
    text = html(page)
    assert "<h1>" in text
    assert "{glue:" not in text and "{numref}" not in text and "{doc}" not in text and "{cite}" not in text


@pytest.mark.parametrize("page", NOTEBOOKS)
def test_a_page_shows_every_stored_figure_with_its_words(page):
    cells = nbformat.read(ROOT / f"{page}.ipynb", as_version=4).cells
    words = [cell.metadata.mystnb for cell in cells if "figure" in cell.metadata.get("mystnb", {})]
    figures = [one for one in words if one.figure.name.startswith("fig-")]
    text = html(page)
    assert len(figures) >= 2 or page == "notebooks/ledger"  # which has tables only
    for one in figures:
        place = text.index(f'id="{one.figure.name}"')
        ((alt, source),) = re.findall(r'<img alt="([^"]*)"[^>]* src="([^"]*)"', text[place : place + 2000])[:1]
        assert alt == one.image.alt
        assert ((HTML / page).parent / source).resolve().is_file()
    assert len(re.findall(r'src="[^"]*_images/[0-9a-f]{40,}', text)) == len(figures)


@pytest.mark.parametrize("page", ["notebooks/6_2_dense", "notebooks/6_3_convolutional"])
def test_the_models_code_is_on_the_page(page):
    text = re.sub(r"<[^>]+>", "", html(page))
    assert "(keras.Model):" in text and "super().__init__(x, decoder(encoder(x)), **kwargs)" in text


def test_a_number_in_the_prose_is_the_stored_one():
    stored = glued(nbformat.read(ROOT / "notebooks/6_2_dense.ipynb", as_version=4))
    text = re.sub(r"<[^>]+>", "", html("notebooks/6_2_dense"))
    assert f"We end at a validation BCE of {stored['dense_source_val_bce']:.4f}." in " ".join(text.split())


def test_the_cover_is_the_stored_figure():
    notebook = nbformat.read(ROOT / "notebooks/6_2_dense.ipynb", as_version=4)
    cover = figure(notebook, execute.COVER_FIGURE)
    assert (ROOT / execute.COVER_FILE).read_bytes() == cover
    assert "static/cover.png" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "cover.png" in html("index")


@pytest.mark.parametrize("page", ["notebooks/claims", "ko/notebooks/claims"])
def test_each_of_the_six_sentences_leads_to_its_section_and_to_the_ledger(page, soup):
    article = soup(page).article
    sentences = article.ol.find_all("li", recursive=False)
    assert len(sentences) == 6
    for sentence in sentences:
        assert sentence.strong, "the verdict in bold"
        ledger, section = sorted((link["href"] for link in sentence.find_all("a")), key=lambda href: href[0] == "#")
        assert ledger == "ledger.html#ledger-cases" and article.find(id=section[1:])
    assert soup(page.replace("claims", "ledger")).article.find(id="ledger-cases")


def test_few_cells_of_the_claims_are_in_sight():
    cells = nbformat.read(ROOT / "notebooks" / "claims.ipynb", as_version=4).cells
    assert len([cell for cell in cells if "remove-cell" not in cell.metadata.get("tags", ())]) <= 40


# The Korean edition


@pytest.mark.parametrize("page", ENGLISH)
def test_each_page_knows_its_language_and_leads_to_the_other_edition(page, soup):
    for here, language, other in ((page, "en", f"ko/{page}"), (f"ko/{page}", "ko", page)):
        assert soup(here).html["lang"] == language
        alternates = {
            link["hreflang"]: urljoin(f"{here}.html", link["href"]) for link in soup(here).select("link[hreflang]")
        }
        assert alternates == {"en": f"{page}.html", "ko": f"ko/{page}.html"}
        for link in soup(here).select("a.language-switch, .language-offer a"):
            assert urljoin(f"{here}.html", link["href"]) == f"{other}.html"


@pytest.mark.parametrize("page", PAGES)
def test_figures_numbers_code_and_places_are_those_of_the_english_page(page, soup):
    def what_stays(name):
        article = soup(name).article
        # The words among the glued results are translated; between the ends of a range stands "to" or "~".
        glued = [element.get_text().replace(" to ", "~") for element in article.select(".pasted-text")]
        return {
            "figures": len(article.select("img")),
            "code": [re.sub("  # .*", "", element.get_text()) for element in article.select(".cell_input pre")],
            "what cells print": [
                Counter(re.findall(r"\d(?:[\d.,]*\d)?", element.get_text()))
                for element in article.select(".cell_output :is(pre, table)")
            ],
            "formulas": sorted(str(element) for element in article.select("math")),
            "numbers": sorted(text for text in glued if not re.search("[A-Za-z가-힣]{2}", text)),
            "glued": len(glued),
            "places": sorted(
                element["id"] for element in article.select("section[id], figure[id], table[id], div.math[id], dt[id]")
            ),
            "citations": sorted(
                link["href"].rpartition("/")[2] for link in article.select("a[href*='#']") if "citation" in str(link)
            ),
        }

    assert what_stays(f"ko/{page}") == what_stays(page)


def english_words(page):
    """The texts of a page, attributes included, that are in English though they are neither code nor names.

    What cells print is looked at in tests/book/test_cells.py, word by word.
    """
    page = copy(page)
    for element in page.select(
        "[lang=en], script, style, code, math, div.citation, a[href*='references.html#'], .cell_output :is(pre, table)"
    ):
        element.decompose()  # titles of publications stay as they are
    for element in page.select("em, strong"):
        element.unwrap()
    page.smooth()  # a name that is emphasised belongs to its sentence
    texts = [
        text
        for text in page.find_all(string=True)
        if not isinstance(text, Comment) and text.parent.name != "[document]"
    ]
    for element in page.find_all(True):
        texts += [
            element[name]
            for name in ("alt", "title", "aria-label", "placeholder", "data-bs-title")
            if name in element.attrs
        ]
    texts = [NAMES.sub("", text).strip() for text in texts]
    return [text for text in texts if re.search("[A-Za-z]{3}", text) and not re.search("[가-힣]", text)]


@pytest.mark.parametrize("page", ENGLISH)
def test_a_korean_page_has_no_english_text(page, soup):
    assert english_words(soup(f"ko/{page}")) == []


@pytest.mark.parametrize("page", PAGES)
def test_no_markup_is_left_over_on_a_korean_page(page, soup):
    article = copy(soup(f"ko/{page}").article)
    for element in article.select("pre, code, math, .cell_output table, div.citation"):
        element.decompose()
    assert not re.findall(r".{0,20}[*`].{0,20}|\{\w+\}", article.get_text())


def test_the_korean_glossary_is_in_alphabetical_order(soup):
    terms = [
        term.get_text().partition("(")[0].strip("#").lower() for term in soup("ko/glossary").select("dl.glossary dt")
    ]
    assert len(terms) > 40 and terms == sorted(terms)
    groups = [heading.get_text().strip("#") for heading in soup("ko/genindex").select("h2[id]")]
    assert groups == sorted(groups) and {"ㄱ", "ㅇ", "ㅎ"} <= set(groups)
