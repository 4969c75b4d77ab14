"""The extensions by themselves: launch, runs, scripts, search, editions and words."""

import io
from types import SimpleNamespace

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from docutils import nodes
from docutils.utils import new_document
from sphinx import locale
from sphinx.errors import ConfigError, ExtensionError

from book import CONCERNS, HERE, editions, launch, runs, scripts, search, words
from tools import built

NO_MODULES_OF_SPHINX = {"__init__", "cells", "colab", "conf", "lab", "markdown", "rerun"}


def test_every_module_is_loaded():
    assert set(CONCERNS) == {path.stem for path in HERE.glob("*.py")} - NO_MODULES_OF_SPHINX


def test_the_search_index_holds_every_beginning_of_a_korean_word():
    parts = search.SearchKorean({}).split("오토인코더는 ReLU를 쓴다")
    assert {"오토인코더", "오토인코더는", "ReLU", "를", "쓴다"} <= set(parts) and "ReLU를" not in parts


@pytest.mark.parametrize(
    "language, addresses",
    [
        ("en", ["../notebooks/one.html", "../ko/notebooks/one.html"]),
        ("ko", ["../../notebooks/one.html", "../../ko/notebooks/one.html"]),
    ],
)
def test_a_page_knows_its_address_in_each_edition(language, addresses):
    app = SimpleNamespace(builder=SimpleNamespace(name="html"), config=SimpleNamespace(language=language))
    context = {}
    editions.add_editions(app, "notebooks/one", "page.html", context, None)
    assert [edition["address"] for edition in context["editions"]] == addresses


def test_a_language_without_an_edition_is_an_error():
    with pytest.raises(ConfigError, match="language must be one of en, ko, got de"):
        editions.check_language(None, SimpleNamespace(language="de"))


@pytest.mark.parametrize("address", ["github.com/someone", "https://github.com/someone/aebook.git"])
def test_an_address_that_would_give_dead_buttons_is_an_error(address, monkeypatch):
    monkeypatch.setenv(launch.ADDRESS, address)
    with pytest.raises(ConfigError, match=f"AEBOOK_REPOSITORY must be https://github.com/OWNER/NAME, got {address}"):
        launch.add_buttons(None, SimpleNamespace(html_theme_options={}))


@pytest.mark.parametrize("script", ["run();", "console.log(); console.log();"])
def test_a_script_that_has_changed_is_an_error(script, tmp_path):
    path = tmp_path / "theme.js"
    path.write_text(script, encoding="utf-8")
    with pytest.raises(ExtensionError, match=r"theme.js must hold 'console.log\(\);' once, it does [02] times"):
        scripts.replace_once(path, "console.log();", "")
    assert path.read_text(encoding="utf-8") == script


@pytest.fixture
def korean(monkeypatch, tmp_path):
    """The catalogue of the Korean edition, compiled as a build does it."""
    folder = tmp_path / "ko" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    words_in_korean = (built.ROOT / "locale" / "ko" / "LC_MESSAGES" / "sphinx.po").read_bytes()
    with open(folder / "sphinx.mo", "wb") as compiled:
        write_mo(compiled, read_po(io.BytesIO(words_in_korean), "ko"))
    monkeypatch.setattr(locale, "translators", {})
    catalogue, found = locale.init([str(tmp_path)], "ko")
    assert found
    monkeypatch.setitem(words.translators, ("general", "sphinx"), catalogue)


def test_nothing_has_no_translation(korean):
    """The catalogue's entry for nothing is its header."""
    assert words.translated("Cover") == "표지" and words.translated("") == ""


@pytest.mark.parametrize("kind", [nodes.bullet_list, nodes.enumerated_list])
def test_a_list_of_the_stored_run_is_marked_in_a_paragraph_before_it(kind, monkeypatch):
    document = new_document("")
    document += kind("", nodes.list_item("", nodes.paragraph("", "a")), classes=["stored"])
    monkeypatch.setattr(runs, "is_shown", lambda *_: True)
    document.settings.env = SimpleNamespace(docname="a", app=None)
    runs.MarkStored(document).run()
    before, after = document.children
    assert before.astext() == "(Written about the stored run.)" and isinstance(before, nodes.paragraph)
    assert after.astext() == "a"
