"""What becomes of the HTML of an article: `book.articles`, `book.reading`, `book.images`."""

from types import SimpleNamespace

import pytest
from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from PIL import Image

from book.articles import mend
from book.images import size_of
from book.reading import add_reading_time, minutes_to_read

ARTICLE = """<h1>Title</h1><p title="">A word.</p><pre>code</pre>
<details><summary aria-label="Toggle hidden content">Show</summary></details>
<div class="cell_output"><table><tr><th></th><th>a</th></tr></table></div>
<div class="citation" role="doc-biblioentry">A book</div>
<img alt="" src="one.png"/><img alt="" src="other.png"/>"""


@pytest.fixture(scope="module")
def mended():
    return mend(ARTICLE, {"one.png": (20, 10)}.get, "en")


def test_an_article_gets_what_a_screen_reader_needs(mended):
    assert mended.count("<th>") == 1 and mended.count("<td>") == 1
    assert '<div class="pst-scrollable-table-container" tabindex="0"><table>' in mended
    assert "<summary>Show</summary>" in mended and "role=" not in mended


def test_images_know_their_size(mended):
    assert '<img alt="" height="10" loading="lazy" src="one.png" width="20"/>' in mended
    assert '<img alt="" src="other.png"/>' in mended


def test_code_and_printed_tables_are_english_in_a_korean_article(mended):
    korean = mend(ARTICLE, lambda src: None, "ko")
    assert '<pre lang="en">code</pre>' in korean and "<table lang" not in korean
    assert "lang=" not in mended


def test_nothing_stays_nothing_in_a_korean_article():
    assert '<p title="">A word.</p>' in mend(ARTICLE, lambda src: None, "ko")


@pytest.mark.parametrize("dots_per_inch, size", [(None, (300, 150)), (200, (144, 72))])
def test_the_size_of_an_image_is_told_in_css_pixels(dots_per_inch, size, tmp_path):
    dpi = {"dpi": (dots_per_inch, dots_per_inch)} if dots_per_inch else {}
    Image.new("RGB", (300, 150)).save(tmp_path / "figure.png", **dpi)
    app = SimpleNamespace(
        srcdir=tmp_path, builder=SimpleNamespace(images={"figure.png": "1.png", "photo.jpg": "2.jpg"})
    )
    assert size_of(app, "../_images/1.png") == size
    assert size_of(app, "../_images/2.jpg") is size_of(app, "https://example.org/1.jpg") is None


# The reading time


def document(*children):
    return nodes.document(None, None, "", *children)


def words(number):
    return nodes.paragraph("", "word " * number)


def test_code_outputs_and_folds_are_not_read():
    output = nodes.container("", words(500), classes=["cell_output"])
    fold = HideCodeCellNode("", words(500))
    code = nodes.literal_block("", "word " * 500)
    page = document(
        nodes.section("", nodes.title("", "Two words"), nodes.bullet_list("", nodes.list_item("", words(598))))
    )
    page[0] += [output, fold, code]
    assert minutes_to_read(page, 200) == 3


@pytest.mark.parametrize(
    "number, note",
    [(10, ""), (500, '\n<p class="reading-time">2 min read</p>'), (1000, '\n<p class="reading-time">5 min read</p>')],
)
def test_the_reading_time_stands_under_the_title(number, note):
    app = SimpleNamespace(config=SimpleNamespace(language="en"))
    context = {"body": "<h1>Title</h1><p>word</p>"}
    add_reading_time(app, "page", "page.html", context, document(words(number)))
    assert context["body"] == f"<h1>Title</h1>{note}<p>word</p>"
