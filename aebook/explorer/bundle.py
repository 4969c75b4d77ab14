"""The explorer's modules joined to one, for anywidget and for a page: one that is opened as a file loads no modules.

A module here imports only from those beside it, a line each, and exports only what it declares.
"""

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import (\w+|\{[^}]*\}) from "\./([\w-]+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async function|function|const|class) (?:(\w+)|\{ ([\w, ]+) \} =))", re.MULTILINE)


def module() -> str:
    """All of the explorer as one ES module, as anywidget takes it.

    Example:
        >>> "export default $explorer.default;" in module()
        True
    """
    return "\n".join([*_joined("explorer"), "export default $explorer.default;\n"])


def script(words: dict[str, str]) -> str:
    """All of the explorer as one script for a page, where it fills the hosts that it finds.

    Args:
        words: what `words` gives, in the language of the page.
    """
    said = json.dumps(words, ensure_ascii=False, separators=(",", ":"))
    return "\n".join(["(() => {", '"use strict";', f"const WORDS = {said};", *_joined("page"), "})();\n"])


def style() -> str:
    """The styles of the explorer: those of all parts, then those of each."""
    sheets = sorted(HERE.glob("*.css"), key=lambda path: (path.stem != "explorer", path.stem))
    return "\n".join(path.read_text(encoding="utf-8") for path in sheets)


def words() -> dict[str, str]:
    """All that the explorer says, in English, by the keys that its modules use.

    Example:
        >>> words()["undo"]
        'Undo'
    """
    return json.loads((HERE / "words.json").read_text(encoding="utf-8"))


def _joined(name: str, known: set[str] | None = None) -> list[str]:
    """A module as a function that gives what it exports, after those that it imports from; `known` are in place."""
    known = set() if known is None else known
    if name in known:
        return []
    known.add(name)
    text = (HERE / f"{name}.js").read_text(encoding="utf-8")
    before = [part for _, other in IMPORT.findall(text) for part in _joined(other, known)]
    text = IMPORT.sub(lambda found: f"const {_names(found[1])} = {_place(found[2])};\n", text)
    exported = [one or several for one, several in EXPORT.findall(text)]
    text = EXPORT.sub("", text)
    if "\nexport default " in text:
        text = text.replace("\nexport default ", "\nconst whole = ")
        exported.append("default: whole")
    left = re.search(r"^(import|export)\b.*", text, re.MULTILINE)
    if left:
        raise ValueError(f"{name}.js must import and export as the other modules do, got {left[0]!r}")
    return [*before, f"const {_place(name)} = (() => {{\n{text}return {{ {', '.join(exported)} }};\n}})();"]


def _names(imported: str) -> str:
    return imported.replace(" as ", ": ") if imported.startswith("{") else f"{{ default: {imported} }}"


def _place(name: str) -> str:
    return "$" + name.replace("-", "_")
