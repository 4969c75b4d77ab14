"""How the pages are made of the notebooks: extensions of Sphinx, one concern a module.

Sphinx loads all of them under the name `book`, with the templates and the static files beside them.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

HERE = Path(__file__).parent
CONCERNS = (
    "alphabet",
    "articles",
    "editions",
    "explorer",
    "icons",
    "images",
    "launch",
    "mathml",
    "readers",
    "reading",
    "runs",
    "scripts",
    "search",
    "tables",
    "times",
    "words",
)


def put_templates_first(app: "Sphinx", config: "Config") -> None:
    """Let the templates of the book come before those of the theme, and give the pages their icon."""
    config.templates_path.insert(0, str(HERE / "templates"))
    config.html_static_path.append(str(HERE / "static"))
    config.html_favicon = str(HERE / "static" / "favicon.svg")


def leave_out_templates(app: "Sphinx") -> None:
    """Keep the words of the templates out of the messages: sphinx.po in locale/ has them beside those of the theme."""
    if app.builder.name == "gettext":
        app.config.templates_path.clear()


def setup(app: "Sphinx") -> None:
    """Load every concern; Sphinx calls it."""
    app.connect("config-inited", put_templates_first)
    app.connect("builder-inited", leave_out_templates)
    app.add_css_file("book.css", priority=800)  # after the theme's, which it changes
    app.add_js_file("language.js")
    for name in CONCERNS:
        app.setup_extension(f"book.{name}")
