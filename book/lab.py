"""The notebooks for readers in a folder of the reader's own, where they may be changed: python -m book.lab LANGUAGE"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from book.editions import EDITIONS

ROOT = Path(__file__).parents[1]


def fill(root: Path, language: str) -> list[str]:
    """Copy the notebooks of an edition into `lab-en` or `lab-ko`. What the reader has changed or run there stays.

    Args:
        root: the folder of the book, with the built pages.
        language: that of the edition.

    Returns:
        The names of the notebooks that stay though those of the book are other ones by now.
    """
    folder = root / f"lab-{language}"
    given = folder / ".given"  # what was copied last, to tell the reader's changes from the book's
    given.mkdir(parents=True, exist_ok=True)
    stay = []
    for new in sorted((root / "_build" / "html" / EDITIONS[language].folder / "readers").iterdir()):
        mine, old = folder / new.name, given / new.name
        if mine.exists() and not (old.exists() and content(mine) == content(old)):
            if not old.exists() or content(new) != content(old):
                stay.append(new.name)
        else:
            shutil.copy(new, mine)
            shutil.copy(new, old)
    return stay


def content(path: Path) -> Any:
    """What a reader would call the same: JupyterLab saves a notebook with other metadata, once it is opened."""
    if path.suffix != ".ipynb":
        return path.read_bytes()
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(cell["source"], cell.get("outputs")) for cell in cells]


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in EDITIONS:
        sys.exit(f"LANGUAGE must be one of {', '.join(EDITIONS)}, got {' '.join(sys.argv[1:])}")
    for name in fill(ROOT, sys.argv[1]):
        print(f"lab-{sys.argv[1]}/{name} stays as you left it; the book has a newer one: rename yours to get it")
