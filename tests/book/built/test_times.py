"""How long the lessons take, on the page for teachers."""

import json
import re

import pytest

from book import times
from book.editions import EDITIONS
from tools import built


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_the_minutes_to_read_are_those_under_the_titles(edition, soup):
    table = soup(f"{edition.folder}teachers").find("table", id="tab-running")
    rows = [[cell.get_text(strip=True) for cell in row.select("td")] for row in table.select("tbody tr")]
    lessons = [soup(edition.folder + name) for name in built.lessons()]
    assert [row[0] for row in rows] == [lesson.h1.contents[0] for lesson in lessons]
    for (_, to_read, *_), lesson in zip(rows, lessons, strict=True):
        assert re.findall(r"\d+", to_read) == re.findall(r"\d+", lesson.select_one(".reading-time").get_text())


def test_the_times_to_run_are_those_that_were_measured(soup):
    stored = json.loads((built.ROOT / times.FILE).read_text(encoding="utf-8"))["lessons"]
    table = soup("teachers").find("table", id="tab-running")
    for row, name in zip(table.select("tbody tr"), built.lessons(), strict=True):
        _, _, *seconds = [cell.get_text(strip=True) for cell in row.select("td")]
        assert seconds == [times.in_words(stored[name][what]) for what in ("run_s", "first_picture_s")]
