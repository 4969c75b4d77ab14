"""Words looked up when they are shown: `aebook.language`."""

import io
import sys

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from aebook import charts, language
from aebook.language import Words
from aebook.parameters import InputError

KOREAN = Words("ko")


@pytest.mark.parametrize(
    "english, korean",
    [
        ("epoch", "에포크"),
        ("no such text", "no such text"),
        ("36 numbers", "값 36개"),
        ("many numbers", "many numbers"),  # {n} is a number
        ("code\n(36 numbers)", "부호\n(값 36개)"),
        ("epoch  1/10: loss 0.3581, validation loss 0.2715", "에포크 1/10: 손실 0.3581, 검증 손실 0.2715"),
        ("0.99 (0.98 to 1.00)", "0.99 (0.98~1.00)"),
        ("convolutional ÷ linear", "합성곱 ÷ 선형"),
        ("true: trained on digits, it is up to noise 1", "참: trained on digits, it is up to noise 1"),
        ("true: the run gives what the table says", "참: 실행 결과가 표와 같음"),  # {s} is whole
        ("  a      accuracy", "  a        정확도"),
        ("  rate 1.000, today's default: 0.69", "  학습률 1.000, 오늘날의 기본값: 0.69"),
    ],
)
def test_a_text_is_found_with_what_stands_in_its_places(english, korean):
    assert KOREAN.text(english) == korean
    assert Words("en").text(english) == english


def test_columns_stay_in_their_places():
    rows = KOREAN.text("PCA           1.0\nmean image    2.0").split("\n")
    assert rows == ["PCA           1.0", "평균 이미지   2.0"]


def test_words_of_a_table_are_between_its_tags():
    assert KOREAN.html('<th class="epoch">epoch</th> <td>3</td>') == '<th class="epoch">에포크</th> <td>3</td>'


def test_comments_are_those_at_the_ends_of_lines():
    code = 'x = "epoch"  # epoch\n# epoch'
    assert KOREAN.comments(code) == 'x = "epoch"  # 에포크\n# epoch'


def test_a_language_without_a_catalogue_is_named():
    with pytest.raises(InputError, match="AEBOOK_LANGUAGE must name a language of this book, en or ko; got 'fr'"):
        Words("fr")


def test_a_figure_is_korean_only_while_it_is_shown():
    figure = charts.errors(None, {"PCA": 0.2, "autoencoder": 0.1}, "mean squared error")
    axis = figure.axes[0]

    def names():
        figure.draw_without_rendering()
        return [axis.get_xlabel(), *(label.get_text() for label in axis.get_yticklabels())]

    before, image = names(), drawn(figure)
    with KOREAN.figure(figure) as texts:
        assert names() == ["평균 제곱 오차", "PCA", "오토인코더"]
        assert not np.array_equal(drawn(figure), image)
    assert texts["mean squared error"] == "평균 제곱 오차"
    assert names() == before and np.array_equal(drawn(figure), image)


def drawn(figure):
    file = io.BytesIO()
    figure.savefig(file, format="rgba")
    return np.frombuffer(file.getvalue(), np.uint8)


def test_a_missing_font_is_one_sentence(monkeypatch):
    monkeypatch.setitem(language.FONTS, "xx", ("No Such Font",))
    with pytest.raises(InputError, match=r"a font with Korean letters, such as No Such Font \(on Debian .*nanum\)"):
        language.font("xx")


def test_printed_lines_are_translated_when_they_are_whole():
    out = io.StringIO()
    lines = language.Translated(out, KOREAN)
    print("36", end=" ", file=lines)
    assert out.getvalue() == ""
    print("numbers\nepoch", file=lines, end="")
    assert out.getvalue() == "값 36개\n"
    lines.flush()
    assert out.getvalue() == "값 36개\n에포크"


@pytest.mark.parametrize("chosen, shown", [("ko", "에포크\n"), ("en", "epoch\n")])
def test_a_notebook_loads_the_language_of_its_environment(chosen, shown, monkeypatch):
    monkeypatch.setenv("AEBOOK_LANGUAGE", chosen)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    out, shell = sys.stdout, InteractiveShell()
    language.load_ipython_extension(shell)
    print("epoch")
    assert out.getvalue() == shown
