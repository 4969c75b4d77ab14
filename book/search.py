"""The search of the Korean edition: a noun finds the same noun with a particle, from a small index."""

import json
import re
from itertools import accumulate
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.search import SearchLanguage


class SearchKorean(SearchLanguage):
    """A Korean noun carries its particle: each beginning of a word is in the index, so the noun alone finds it."""

    lang = "ko"
    language_name = "Korean"

    def split(self, text: str) -> list[str]:
        words = re.findall(r"[가-힣]+|[^\W가-힣]+", text)
        return [part for word in words for part in (accumulate(word) if word[0] >= "가" else [word])]


def shorten_index(app: Sphinx, exception: Exception | None) -> None:
    """Write Hangul in the index as it is: Sphinx writes each letter as six."""
    path = Path(app.outdir) / "searchindex.js"
    if exception or app.builder.name != "html":
        return
    text = path.read_text(encoding="utf-8")
    start, end = text.index("{"), text.rindex("}") + 1
    index = json.dumps(json.loads(text[start:end]), ensure_ascii=False, separators=(",", ":"))
    path.write_text(text[:start] + index + text[end:], encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Give Sphinx a Korean search, for which it has none."""
    app.add_search_language(SearchKorean)
    app.connect("build-finished", shorten_index)
