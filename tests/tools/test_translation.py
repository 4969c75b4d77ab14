"""The Korean catalogues: what the build takes from them, and what `make check` says of them."""

import re
from collections import Counter

import pytest
from sphinx_intl.catalog import load_po

from tools import built, translation

CATALOGUES = sorted(translation.KOREAN.rglob("*.po"))
each_catalogue = pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
ROLE = re.compile(r"\{([\w:]+)\}`([^`]*)`")
CODE = re.compile(r"(?<![`}])`([^`]+)`")
MEASURED = re.compile(r"\d[\d,]*\.\d+|\d+(?=\s?%)")
AFTER_A_NUMBER = re.compile(r"\{(?:glue:text|numref)\}`[^`]*`\s?(?:은|는|이|가|을|를|와|과|로|으로|이라|라)(?![가-힣])")
PLAIN_STYLE = re.compile(r"(?<![니시])다[.?!](?=[\s\"')”’*]|$)")
CLAIM = re.compile(r"^\*바탕 노트의 주장: [^*]*\*")  # what is claimed is quoted, in the style of quotations
# What the list of terms decided against.
OTHER_TERMS = [
    "오토 인코더",
    "자동 부호화기",
    "컨볼루션",
    "콘볼루션",
    "에폭",
    "훈련",
    "최적화기",
    "러닝 레이트",
    "시그모이드함수",
    "잠재벡터",
]


def messages(path):
    return [(message.id, message.string) for message in load_po(path) if message.id]


def roles(text):
    """The roles of a text with their targets; glossary entries in lower case, as Sphinx looks for them."""
    found = Counter()
    for role, content in ROLE.findall(text):
        target = re.search(r"<([^>]*)>$", content)
        target = target[1] if target and role != "glue:text" else content
        found[role, target.lower() if role == "term" else target] += 1
    return found


def code(text):
    return Counter(CODE.findall(ROLE.sub(" ", text)))


def test_there_is_a_catalogue_for_each_page_and_one_for_the_words_around_them():
    names = {path.relative_to(translation.KOREAN).with_suffix("").as_posix() for path in CATALOGUES}
    assert names == {*built.english_pages(), "sphinx"} - {"search", "genindex"}


@each_catalogue
def test_the_korean_has_the_roles_code_and_formulas_of_the_english(path):
    for english, korean in messages(path):
        assert roles(korean) == roles(english), korean
        assert code(korean.replace(" LANGUAGE=ko", "")) == code(english), korean
        assert korean.count("$") == english.count("$") and korean.count("<br>") == english.count("<br>"), korean


@each_catalogue
def test_no_result_is_typed_into_the_korean(path):
    """Each number with a decimal point or a % is in the English, too, where tests/notebooks/test_prose.py looks."""
    for english, korean in messages(path):
        typed = Counter(MEASURED.findall(ROLE.sub(" ", korean))) - Counter(MEASURED.findall(ROLE.sub(" ", english)))
        assert not typed, (typed, korean)


@each_catalogue
def test_the_korean_keeps_to_its_style_and_terms(path):
    for _, korean in messages(path):
        assert not AFTER_A_NUMBER.search(korean), f"a particle that depends on a number nobody knows: {korean}"
        assert not PLAIN_STYLE.search(CLAIM.sub("", korean)), f"not in 합니다체: {korean}"
        assert not [term for term in OTHER_TERMS if term in korean], f"see locale/ko/TERMS.md: {korean}"


@pytest.mark.parametrize("korean", ["식은 {glue:text}`a:.2f`은 낮습니다.", "{numref}`fig-a`와 같습니다."])
def test_a_particle_after_a_number_is_found(korean):
    assert AFTER_A_NUMBER.search(korean)


@pytest.mark.parametrize(
    "korean, found", [("낮다.", True), ("낮습니다.", False), ("봅시다.", False), ("낮다고 합니다.", False)]
)
def test_the_plain_style_is_found(korean, found):
    assert bool(PLAIN_STYLE.search(korean)) == found


# What make check says


@pytest.fixture
def page(tmp_path):
    """A page with three texts, of which the first is translated, the second is not, and the third is fuzzy."""
    for name in ("messages/page.pot", "ko/page.po", "ko/sphinx.po"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
    texts = ["A first text.", "A second text.", "A third text."]
    (tmp_path / "messages/page.pot").write_text("".join(f'msgid "{text}"\nmsgstr ""\n\n' for text in texts))
    (tmp_path / "ko/page.po").write_text(
        'msgid "A first text."\nmsgstr "첫째입니다."\n\n#, fuzzy\nmsgid "A third text."\nmsgstr "셋째입니다."\n'
    )
    (tmp_path / "ko/sphinx.po").write_text("")
    return tmp_path


def test_the_coverage_of_a_page(page):
    assert translation.coverage(page / "messages", page / "ko") == {"page": (3, ["A second text.", "A third text."])}


def test_a_changed_sentence_is_named_with_its_page(page, capsys):
    fault = translation.main(page / "messages", page / "ko")
    assert "page: A second text.\npage: A third text.\n" in fault and "these 2 texts" in fault
    assert capsys.readouterr().out.split() == ["page", "1", "of", "3", "texts", "in", "Korean"]


def test_no_messages_is_an_error(tmp_path):
    assert translation.main(tmp_path) == f"there are no catalogues in {tmp_path}: make messages makes them"


def test_a_glued_word_wants_its_korean():
    """The verdicts on the page of claims are glued, and stand in no text of the page."""
    texts = ["**{glue:text}`shifts_verdict`**", "{glue:text}`shifts_1:.2f`", "{glue:text}`claims_count:d`"]
    assert translation.glued_words("notebooks/claims", texts) == ["holds"]
    assert translation.translated(translation.KOREAN / "sphinx.po")["holds"] == "성립"
