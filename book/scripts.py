"""Scripts of the theme, changed where they have no setting: what they write to the console, and words in English."""

import json
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.locale import _

# What a reader's clicks would write to the browser's console.
MESSAGES = (
    "console.log(`[PST]: Changed to ${e} mode using the ${n} theme.`),",
    ',console.log("[PST]: Scrolled sidebar using last active link...")',
    ',console.log("[PST]: Scrolled sidebar using stored browser position...")',
)
COPY = {
    "copy": "Copy",
    "copy_to_clipboard": "Copy to clipboard",
    "copy_success": "Copied!",
    "copy_failure": "Failed to copy",
}


def replace_once(path: Path, old: str, new: str) -> None:
    """Replace a text that stands once in a script.

    Raises:
        ExtensionError: if it does not, as when the theme has changed.
    """
    script = path.read_text(encoding="utf-8")
    if script.count(old) != 1:
        raise ExtensionError(
            f"{path.name} must hold {old.strip()!r} once, it does {script.count(old)} times; book/scripts.py names it"
        )
    path.write_text(script.replace(old, new), encoding="utf-8")


def change_scripts(app: Sphinx, exception: Exception | None) -> None:
    """Silence the theme's script, and give that of the copy buttons its words in the language of the edition."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for message in MESSAGES:
        replace_once(static / "scripts" / "pydata-sphinx-theme.js", message, "")
    words = json.dumps({app.config.language: {key: str(_(word)) for key, word in COPY.items()}}, ensure_ascii=False)
    replace_once(static / "copybutton.js", "\nlet locale", f"\nObject.assign(messages, {words})\nlet locale")


def setup(app: Sphinx) -> None:
    """Change the scripts when they are in their place."""
    app.connect("build-finished", change_scripts)
