import pytest

from aebook import claims
from aebook.parameters import InputError

LESS, MORE, OPEN = claims.effect([1, 2], [4, 5]), claims.effect([4, 5], [1, 2]), claims.effect([1, 3], [2, 2])


def test_an_effect_is_a_quotient_with_its_extremes():
    assert claims.Effect(mean=1.5 / 4.5, low=1 / 5, high=2 / 4) == LESS
    assert str(LESS) == "0.333 (0.200 to 0.500)"


@pytest.mark.parametrize(("a", "b"), [([], [1]), ([1], []), ([1], [0]), ([float("nan")], [1]), ([-1], [1])])
def test_an_effect_needs_errors(a, b):
    with pytest.raises(InputError, match="an effect needs errors above 0, got"):
        claims.effect(a, b)


@pytest.mark.parametrize(
    ("verdict", "effects", "when"),
    [
        ("holds", {"a": LESS, "b": LESS}, ()),
        ("does not hold", {"a": MORE, "b": OPEN}, ()),
        ("stays open", {"a": OPEN}, ()),
        ("holds only when it rains", {"a": LESS, "b": OPEN, "c": MORE}, ["a"]),
    ],
)
def test_a_verdict_that_agrees_is_returned(verdict, effects, when, capsys):
    assert claims.judge(verdict, effects, when) == verdict
    lines = capsys.readouterr().out.splitlines()
    sides = {LESS: "for", MORE: "against", OPEN: "open"}
    assert [line.split()[-1] for line in lines[:-1]] == [sides[effect] for effect in effects.values()]
    assert lines[-1] == f"verdict: {verdict}"


@pytest.mark.parametrize(
    ("verdict", "effects", "when"),
    [
        ("does not hold", {"a": LESS}, ()),
        ("holds", {"a": MORE}, ()),
        ("holds", {"a": OPEN}, ()),
        ("does not hold", {"a": OPEN}, ()),
        ("stays open", {"a": OPEN, "b": MORE}, ()),
        ("stays open", {"a": LESS, "b": OPEN}, ()),
        ("holds", {"a": LESS, "b": OPEN}, ()),
        ("holds only when it rains", {"a": LESS, "b": MORE}, ["b"]),
        ("holds only when it rains", {"a": LESS, "b": MORE}, ["a", "b"]),
        ("holds only when it rains", {"a": LESS, "b": LESS}, ["a", "b"]),
        ("holds only when it rains", {"a": MORE}, ["a"]),
    ],
)
def test_a_verdict_that_disagrees_is_an_error(verdict, effects, when):
    with pytest.raises(AssertionError, match="the verdict says .*, but the measurements are for the claim in: "):
        claims.judge(verdict, effects, when)


def test_the_limit_moves_the_line():
    assert claims.judge("holds", {"a": OPEN}, limit=2)
    assert claims.judge("does not hold", {"a": LESS}, limit=0.1)
    assert claims.judge("stays open", {"a": LESS}, limit=0.3)


def test_words_that_are_no_verdict():
    with pytest.raises(InputError, match="a verdict must be one of .*; got 'maybe'"):
        claims.judge("maybe", {"a": LESS})
    with pytest.raises(InputError, match="there is no case b; there are a"):
        claims.judge("holds only when it rains", {"a": LESS}, when=["b"])
    for arguments in [("holds", {}), ("holds", {"a": LESS}, ["a"]), ("holds only when it rains", {"a": LESS})]:
        with pytest.raises(InputError, match="needs effects, and names of cases if it has a condition; got"):
            claims.judge(*arguments)
    with pytest.raises(InputError, match="a verdict must be one of"):
        claims.judge("holds only when ", {"a": LESS}, when=["a"])


def test_a_statement_is_true_or_an_error_or_not_judged(capsys):
    claims.confirm("it rains", True)
    claims.confirm("it rains", False, judged=False)
    assert capsys.readouterr().out == "true: it rains\nnot judged: it rains\n"
    with pytest.raises(AssertionError, match="the measurements do not agree: it rains"):
        claims.confirm("it rains", False)
