"""How much of each page is in Korean: python -m tools.translation MESSAGES

MESSAGES is the folder of the catalogues that Sphinx makes of the English pages. The command ends with status 1 where a
text has no Korean, or has another English text now than when it got its Korean.
"""

import re
import sys
from pathlib import Path

import nbformat
from sphinx_intl.catalog import load_po

from aebook.notebooks import glued

ROOT = Path(__file__).parent.parent
KOREAN = ROOT / "locale" / "ko" / "LC_MESSAGES"
GLUED = re.compile(r"\{glue:text\}`(\w+)`")  # without a format: a text, not a number


def translated(path: Path) -> dict[str, str]:
    """The Korean of each message of a catalogue, without those that are empty or marked as fuzzy."""
    if not path.is_file():
        return {}
    return {
        message.id: message.string for message in load_po(path) if message.id and message.string and not message.fuzzy
    }


def glued_words(page: str, texts: list[str]) -> list[str]:
    """The words that the texts of a page glue, such as the verdict on a claim."""
    notebook = ROOT / f"{page}.ipynb"
    if not notebook.is_file():
        return []
    values = glued(nbformat.read(notebook, as_version=4))
    words = {values[name] for text in texts for name in GLUED.findall(text)}
    return sorted(word for word in words if re.search("[A-Za-z]{3}", word))


def coverage(messages: Path, korean: Path) -> dict[str, tuple[int, list[str]]]:
    """For each page: how many texts it has, and which of them have no Korean."""
    own = translated(korean / "sphinx.po")
    pages = {}
    for path in sorted(messages.rglob("*.pot")):
        page = path.relative_to(messages).with_suffix("").as_posix()
        texts = [message.id for message in load_po(path) if message.id]
        done = translated(korean / f"{page}.po")
        words = glued_words(page, texts)
        missing = [text for text in texts if text not in done] + [word for word in words if word not in own]
        pages[page] = (len(texts) + len(words), missing)
    return pages


def main(messages: Path, korean: Path = KOREAN) -> str | None:
    """Print how much of each page is in Korean; the texts that are not, one line each."""
    pages = coverage(messages, korean)
    if not pages:
        return f"there are no catalogues in {messages}: make messages makes them"
    for page, (count, missing) in pages.items():
        print(f"{page:28} {count - len(missing):3} of {count:3} texts in Korean")
    faults = [f"{page}: {text}" for page, (_, missing) in pages.items() for text in missing]
    if faults:
        return "\n".join(faults) + (
            f"\nNo Korean for these {len(faults)} texts. Run make translate, write the Korean into the catalogue of "
            'the page in locale/ko/LC_MESSAGES (a glued word into sphinx.po), and delete the line "#, fuzzy" above it.'
        )
    return None


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"tools.translation needs one argument, the folder of the messages; got {sys.argv[1:]}")
    sys.exit(main(Path(sys.argv[1])))
