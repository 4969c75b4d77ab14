"""The editions of the book, and the way from each page to the same page in another language."""

from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError


class Edition(NamedTuple):
    """The book in one language."""

    folder: str
    """Where its pages are, seen from the English ones."""
    name: str
    offer: str
    """To a reader whose browser prefers this language."""
    close: str
    words_per_minute: int


EDITIONS = {
    "en": Edition("", "English", "This page is also in English.", "Close", 200),
    "ko": Edition(
        "ko/", "한국어", "이 페이지는 한국어로도 볼 수 있습니다.", "닫기", 140
    ),  # longer words: they carry their particles
}


def check_language(app: Sphinx, config: Config) -> None:
    """Refuse a language that the book is not in.

    Raises:
        ConfigError: if there is no such edition.
    """
    if config.language not in EDITIONS:
        raise ConfigError(f"language must be one of {', '.join(EDITIONS)}, got {config.language}")


def add_editions(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Tell the templates the address of this page in each edition; static/language.js shows the offer."""
    if app.builder.name != "html":
        return
    up = "../" * (name.count("/") + EDITIONS[app.config.language].folder.count("/"))
    context["editions"] = [
        {"language": language, "address": f"{up}{edition.folder}{name}.html", **edition._asdict()}
        for language, edition in EDITIONS.items()
    ]


def setup(app: Sphinx) -> None:
    """Give every page `editions`, for the templates."""
    app.connect("config-inited", check_language)
    app.connect("html-page-context", add_editions)
