"""What cells show, in another language: printed lines, tables, and the words in figures, from a gettext catalogue.

A text is looked up when it is shown, so code and numbers are the same in every language. In a notebook
``%load_ext aebook.language`` does it, for the language that the environment variable AEBOOK_LANGUAGE names; the pages
of an edition do the same with what is stored.
"""

import logging
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from aebook.parameters import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VARIABLE = "AEBOOK_LANGUAGE"
PLACE = re.compile("{([ns]?)}")
NUMBER, ANYTHING = r"([\d.,]*\d)", r"(\S+(?: \S+)*?)"
"""The places in an entry, and what may stand there: no two spaces, which part columns."""
FONTS = {"ko": ("NanumGothic", "Noto Sans CJK KR", "Noto Sans KR", "Malgun Gothic", "Apple SD Gothic Neo")}
"""Where Matplotlib finds the letters of a language: the first of these that is installed."""


class Words:
    """The catalogue of a language, ``aebook/ko.po`` for Korean; English needs none, and stays.

    In an entry ``{n}`` stands for a number, as in ``{n} epochs``, ``{}`` for words, which are looked up in turn, and
    ``{s}`` for a sentence, which is looked up as a whole: half of it in another language says nothing.

    Args:
        language: such as ``ko``.

    Raises:
        InputError: if there is no catalogue of this language.

    Example:
        >>> Words("ko").text("validation BCE: 0.163")
        '검증 BCE: 0.163'
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self.exact: dict[str, str] = {}
        self.patterns: list[tuple[re.Pattern[str], list[str], str]] = []
        if language == "en":
            return
        from babel.messages.pofile import read_po

        file = Path(__file__).with_name(f"{language}.po")
        if not file.is_file():
            raise InputError(f"{VARIABLE} must name a language of this book, en or ko; got {language!r}")
        with file.open("rb") as entries:
            self.exact = {str(entry.id): str(entry.string) for entry in read_po(entries) if entry.id and entry.string}
        for english in sorted(self.exact, key=len, reverse=True):
            if PLACE.search(english):
                parts = PLACE.split(english)
                places = parts[1::2]
                parts[::2] = map(re.escape, parts[::2])
                parts[1::2] = [NUMBER if place == "n" else ANYTHING for place in places]
                self.patterns.append((re.compile("".join(parts)), places, self.exact[english]))

    def text(self, text: str) -> str:
        """A text of one line or several; columns stay in their places."""
        if not self.exact or text in self.exact:
            return self.exact.get(text, text)
        return "\n".join(map(self._line, text.split("\n")))

    def html(self, html: str) -> str:
        """The words between the tags of a table."""
        return re.sub(r"(?<=>)[^<>]+(?=<)", lambda words: self.text(words[0]), html)

    def comments(self, code: str) -> str:
        """The comments at the ends of the lines of a cell."""
        return re.sub(r"(?<=  # )\S.*", lambda words: self.text(words[0]), code)

    def _line(self, line: str) -> str:
        text = line.strip()
        if text in self.exact:
            return line.replace(text, self.exact[text])
        for pattern, places, new in self.patterns:
            if found := pattern.fullmatch(text):
                parts = zip(places, found.groups(), strict=True)
                texts = (self.exact.get(old, old) if place == "s" else self._line(old) for place, old in parts)
                return line.replace(text, new.format(*texts))
        columns = re.split(r"(\s{2,})", line)
        for place in range(0, len(columns), 2) if len(columns) > 1 else ():
            old, columns[place] = columns[place], self._line(columns[place])
            wider = _width(columns[place]) - _width(old)
            # The spaces between two columns take up the difference: those after a name, or before the last heading.
            last = place + 1 == len(columns)
            if not (last and re.search(r"\d", old)):
                spaces = place - 1 if last else place + 1
                columns[spaces] = " " * max(1, len(columns[spaces]) - wider)
        return "".join(columns)

    @contextmanager
    def figure(self, figure: "Figure") -> Iterator[dict[str, str]]:
        """A figure with its words in the language, for as long as the context lasts.

        Gives:
            Each text of the figure, by what it is in English.
        """
        from matplotlib.text import Text

        figure.draw_without_rendering()  # which makes the labels of the ticks
        before: list[Callable[[], Any]] = []
        texts: dict[str, str] = {}
        for line in [line for axes in figure.axes for line in (axes.xaxis, axes.yaxis)]:
            labels = [label.get_text() for label in line.get_ticklabels()]
            if (new := list(map(self.text, labels))) != labels:
                texts.update(zip(labels, new))
                before.append(partial(line.set_major_locator, line.get_major_locator()))
                before.append(partial(line.set_major_formatter, line.get_major_formatter()))
                line.set_ticks(line.get_ticklocs(), new)
        for text in figure.findobj(Text):
            old, family = text.get_text(), text.get_fontfamily()
            new_text = self.text(old)
            if text.get_visible() and re.search(r"\w{2}", old):
                texts.setdefault(old, new_text)
            if re.search("[가-힣]", new_text):
                before += [partial(text.set_text, old), partial(text.set_fontfamily, family)]
                text.set_text(new_text)
                text.set_fontfamily(["DejaVu Sans", font(self.language)])
        try:
            yield texts
        finally:
            for put_back in before:
                put_back()


def _width(text: str) -> int:
    """How many columns a text takes: a Korean letter takes two."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


@cache
def font(language: str) -> str:
    """The name of an installed font that has the letters of a language.

    Raises:
        InputError: if there is none.
    """
    from matplotlib.font_manager import fontManager

    # Where a family lacks a weight, Matplotlib takes the nearest one, which needs no warning in a cell.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    installed = {entry.name for entry in fontManager.ttflist}
    for name in FONTS[language]:
        if name in installed:
            return name
    raise InputError(
        f"figures need a font with Korean letters, such as {', '.join(FONTS[language])} "
        "(on Debian the package fonts-nanum); install one and start the kernel again"
    )


class Translated:
    """Standard output that translates each line when it is whole."""

    def __init__(self, out: TextIO, words: Words) -> None:
        self.out, self.words, self.rest = out, words, ""

    def write(self, text: str) -> int:
        """Take a text; what has no end of its line yet is kept."""
        lines, newline, self.rest = (self.rest + text).rpartition("\n")
        self.out.write(self.words.text(lines) + newline)
        return len(text)

    def flush(self) -> None:
        """Write what is kept."""
        self.out.write(self.words.text(self.rest))
        self.rest = ""
        self.out.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.out, name)


def load_ipython_extension(shell: Any) -> None:
    """Show lines, tables and figures in the language of AEBOOK_LANGUAGE from here on; IPython calls it."""
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    words = Words(os.environ.get(VARIABLE, "en"))
    if not words.exact:
        return
    sys.stdout = Translated(sys.stdout, words)
    formatters = shell.display_formatter.formatters
    for module, name in (("pandas.core.frame", "DataFrame"), ("pandas.io.formats.style", "Styler")):
        formatters["text/html"].for_type_by_name(module, name, lambda table: words.html(table._repr_html_()))
    plt.switch_backend(plt.get_backend())  # in a notebook this puts Matplotlib's own way to show a figure in its place
    if Figure not in formatters["image/png"].type_printers:
        return
    show = formatters["image/png"].lookup_by_type(Figure)

    def show_translated(figure: Figure) -> Any:
        with words.figure(figure):
            return show(figure)

    try:
        font(words.language)
    except InputError as error:
        print(f"The figures stay in English: {error}")
    else:
        formatters["image/png"].for_type(Figure, show_translated)
