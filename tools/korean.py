"""The figures of the Korean edition, each drawn in the run that draws the English one, so from the same numbers.

`record` works inside the kernel of a notebook: each figure is drawn a second time, with its words in Korean.
`collect` stores them in locale/ko/figures, where the build finds a figure by the English one.
"""

import base64
import io
import json
from itertools import count
from pathlib import Path

from PIL import Image

from aebook.language import Words
from aebook.rerun.files import write_whole
from book.cells import FIGURES, key
from book.images import with_few_colors


def record(folder: str) -> None:
    """Draw each figure that this kernel shows in Korean, too, into numbered files of a folder."""
    import matplotlib.pyplot as plt
    from IPython import get_ipython
    from matplotlib.figure import Figure

    words, numbers = Words("ko"), count()
    plt.switch_backend(plt.get_backend())
    formatter = get_ipython().display_formatter.formatters["image/png"]
    show = formatter.lookup_by_type(Figure)

    def show_both(figure: Figure) -> str:
        english = show(figure)
        with words.figure(figure) as texts:
            about = {"texts": texts, "png": show(figure)}
        Path(folder, f"{next(numbers):03}.figure").write_text(json.dumps({key(english): about}), encoding="utf-8")
        return english

    formatter.for_type(Figure, show_both)


def collect(folder: Path, root: Path, stem: str) -> None:
    """Store the recorded figures of a notebook.

    Args:
        folder: what `record` has filled.
        root: the folder of the book.
        stem: the name of the notebook.
    """
    figures = {}
    for file in sorted(folder.glob("*.figure")):
        ((name, about),) = json.loads(file.read_text(encoding="utf-8")).items()
        with Image.open(io.BytesIO(base64.b64decode(about["png"]))) as image:
            small = io.BytesIO()
            with_few_colors(image, small)
        figures[name] = {"texts": about["texts"], "png": base64.b64encode(small.getvalue()).decode()}
    path = root / FIGURES / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
