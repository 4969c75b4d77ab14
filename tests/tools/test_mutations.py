"""The mutations, without their checks, which take an hour: `tools.mutations`."""

from pathlib import Path

import pytest

from tools import mutations

WITH_TEXTS = [mutation for mutation in mutations.MUTATIONS if mutation.change is not mutations.another_model]


@pytest.mark.parametrize("mutation", WITH_TEXTS, ids=lambda mutation: mutation.name)
def test_a_mutation_finds_what_it_changes(mutation, monkeypatch):
    written = []
    monkeypatch.setattr(Path, "write_text", lambda path, text, **_: written.append((path, text)))
    mutation.change(mutations.ROOT)
    ((path, text),) = written
    assert text != path.read_text(encoding="utf-8")
