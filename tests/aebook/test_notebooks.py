import pytest

from aebook.notebooks import confirm


def test_a_statement_is_true_or_an_error_or_not_judged(capsys):
    confirm("it rains", True)
    confirm("it rains", False, judged=False)
    assert capsys.readouterr().out == "true: it rains\nnot judged: it rains\n"
    with pytest.raises(AssertionError, match="the measurements do not agree: it rains"):
        confirm("it rains", False)
