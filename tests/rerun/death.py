"""Death at any step, for tests of what is left."""

import os
import sqlite3
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

STEPS = st.integers(1, 15)
"""At which step death strikes; some are later than all there is to do."""

SAME_EVERYWHERE = {"derandomize": True, "database": None, "deadline": None, "suppress_health_check": list(HealthCheck)}


def often(runs, steps):
    """Settings of a stateful test."""
    return settings(max_examples=runs, stateful_step_count=steps, **SAME_EVERYWHERE)


class Killed(BaseException):
    """What a killed process does not even notice."""


class Death:
    """Kills what goes on before its nth step: a statement of the database, half of a file, its move, a deletion."""

    def __init__(self, patch):
        self.left = None
        connect, tick = sqlite3.connect, self._tick

        class Connection(sqlite3.Connection):
            def execute(self, *arguments):
                tick()
                result = super().execute(*arguments)
                if arguments[0] == "COMMIT":
                    super().execute("PRAGMA synchronous = OFF")  # here the power does not fail
                return result

        def connect_stepwise(*arguments, **options):
            return connect(*arguments, **options, factory=Connection)

        def write_stepwise(number):
            try:
                tick()
            except Killed:
                os.ftruncate(number, os.fstat(number).st_size // 2)
                raise

        def stepwise(function):
            return lambda *arguments, **options: (tick(), function(*arguments, **options))[1]

        patch.setattr(sqlite3, "connect", connect_stepwise)
        patch.setattr(os, "fsync", write_stepwise)
        patch.setattr(Path, "replace", stepwise(Path.replace))
        patch.setattr(Path, "unlink", stepwise(Path.unlink))

    def _tick(self):
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:  # what comes after the first, as in finally, does not happen either
                raise Killed

    def strikes(self, step, act):
        """Do something that is killed at a step; returns whether it came to that."""
        self.left = step
        try:
            act()
        except Killed:
            return True
        finally:
            self.left = None
        return False
