"""The environments of other computers: `tools.machines`."""

import os

import pytest

from tools import machines


@pytest.mark.parametrize("name", machines.MACHINES)
def test_a_machine_is_the_same_when_bands_are_measured_and_when_outputs_are_verified(name, monkeypatch):
    """The one starts a run with its environment, the other adds what the usual machine has and this one does not."""
    monkeypatch.setattr(os, "environ", dict(machines.MACHINES[name]))
    machines.use_the_usual()
    assert os.environ == machines.MACHINES[name]
