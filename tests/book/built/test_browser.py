"""The built pages in a browser, each of them: light, accessible, whole; `make book` makes them."""

import re
from functools import cache
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from tools import built

each_page = pytest.mark.parametrize("name", built.all_pages())
MEGABYTES = 1.2


@cache
def ids(path):
    return set(re.findall(r'\sid="([^"]*)"', path.read_text(encoding="utf-8")))


@each_page
def test_a_page_is_light_accessible_at_every_width_and_needs_no_network(name, look_at, address, capsys):
    faults, megabytes = look_at(built.HTML, address, name)
    with capsys.disabled():
        print(f"\n{name}: {megabytes:.2f} MB with all images", end=" ")
    assert faults == []
    assert megabytes < MEGABYTES


@each_page
def test_every_image_says_what_it_shows(name, soup):
    for image in soup(name).select("article img"):
        words = image.get("alt", "").split()  # without an alt text Sphinx writes the name of the file
        assert len(words) > 5, f"{name}: {image.get('src')} has the alt text {image.get('alt')!r}"


@each_page
def test_every_link_inside_the_book_leads_somewhere(name, soup):
    here = f"{name}.html"
    for link in soup(name).select("a[href]"):
        if re.match(r"[a-z]+:", link["href"]):
            continue
        target, anchor = urldefrag(urljoin(here, link["href"]))
        path = built.HTML / unquote(target)
        assert path.is_file(), f"{name}: {link['href']} leads to no file"
        if anchor and path.suffix == ".html":
            assert unquote(anchor) in ids(path), f"{name}: {link['href']} leads to no place on its page"


@each_page
def test_a_page_loads_the_search_where_it_searches_and_no_script_of_icons(name, soup):
    scripts = " ".join(script.get("src", "") for script in soup(name).select("script"))
    assert ("searchindex.js" in scripts) == name.endswith("search")
    assert "copybutton.js" in scripts and "language.js" in scripts
    assert not re.search("fontawesome|thebe|togglebutton|design", scripts)
    assert not soup(name).select("link[href*=togglebutton], link[href*=design]")
