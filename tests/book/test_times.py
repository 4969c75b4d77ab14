"""The table of how long the lessons take: `book.times`."""

import json

import nbformat
import pytest
from bs4 import BeautifulSoup

from book import times
from tools import built

LESSON = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 1 A lesson\n\n" + 400 * "word ")])
PAGES = {
    "index.md": "# A page\n\n```{lesson-times} How long\n:name: tab-times\n```",
    "lesson.ipynb": nbformat.writes(LESSON),
    "other.md": "# 2 No lesson",
}
STORED = {
    "measured": "2026-11-28",
    "machine": {"processor": "A Processor", "cores": 3},
    "lessons": {"lesson": {"run_s": 290.0, "first_picture_s": 14.0}},
}


@pytest.fixture
def book(tmp_path):
    """Build a small book whose contents name one lesson; what is said of the table on its first page."""

    def build(stored, language="en"):
        (tmp_path / "results").mkdir()
        (tmp_path / times.FILE).write_text(json.dumps(stored), encoding="utf-8")
        html = built.small_book(tmp_path, PAGES, language)
        return BeautifulSoup((html / "index.html").read_text(encoding="utf-8"), "html.parser").article

    return build


@pytest.mark.slow
@pytest.mark.parametrize(
    "language, heads, row, said",
    [
        ("en", ["lesson", "to read", "to run", "to its first picture"], ["1 A lesson", "2 min", "5 min", "10 s"],
         "The cells were run on November 28, 2026, on 3 cores (A Processor)."),
        ("ko", ["절", "읽는 시간", "실행 시간", "첫 그림까지"], ["1 A lesson", "3분", "5분", "10초"],
         "실행 시간은 2026년 11월 28일에 코어 3개(A Processor)로 측정한 것입니다."),
    ],
)  # fmt: skip
def test_the_table_shows_what_the_page_and_the_file_say(language, heads, row, said, book):
    article = book(STORED, language)
    table = article.find("table", id="tab-times")
    assert [cell.get_text(strip=True) for cell in table.select("th")] == heads
    assert [cell.get_text(strip=True) for cell in table.select("td")] == row
    assert table.select_one("td a")["href"] == "lesson.html"
    assert said in article.get_text()


@pytest.mark.slow
def test_a_lesson_without_times_is_one_clear_error(book):
    fault = "results/lessons.json has no times of lesson; make bench LESSONS=1 measures every lesson"
    with pytest.raises(RuntimeError, match=fault):
        book({**STORED, "lessons": {}})


def test_every_lesson_has_its_times():
    stored = json.loads((built.ROOT / times.FILE).read_text(encoding="utf-8"))
    assert list(stored["lessons"]) == built.lessons()
    assert stored["data_verified"] and stored["machine"]["cores"] and stored["machine"]["processor"]


@pytest.mark.parametrize(
    "seconds, words",
    [(0.2, "1 s"), (4.4, "4 s"), (14, "10 s"), (52.3, "50 s"), (89, "90 s"), (95, "2 min"), (290, "5 min")],
)
def test_a_time_is_said_as_one_would_say_it(seconds, words):
    assert times.in_words(seconds) == words
