"""What was run in a folder, for sweeps and benches: one SQLite file, one writer.

A run is recorded with its notebook or not at all, whenever the process dies: one statement puts
both into the database. Then the notebook goes into a file of its own, for people to open, and its
text leaves the database; where that was cut short, the next opening of the store does it.
"""

import json
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from aebook.parameters import InputError
from aebook.rerun.files import write_whole

FILE = "runs.sqlite"

OPEN = (
    "PRAGMA locking_mode = EXCLUSIVE",  # what BEGIN EXCLUSIVE takes is kept until the database is closed
    "BEGIN EXCLUSIVE",
    "CREATE TABLE IF NOT EXISTS runs (key TEXT PRIMARY KEY, row TEXT, file TEXT, text TEXT)",
    "COMMIT",
)
"""``file`` is NULL but while a file is still to be written, or deleted where ``text`` is empty; ``row`` is NULL
while a run is being forgotten."""

DAMAGE = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Store:
    """The recorded runs of a folder; a context manager, because a folder has one writer.

    ``rows`` has what was recorded of each run, by its key.

    Args:
        folder: it is made if it is not there.

    Raises:
        BlockingIOError: if another Store of the folder is open, in any process. The one of a
            process that has died is not.
        InputError: if the folder is a file, or the database is damaged.
        OSError: if the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / FILE
        self.rows: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"the runs need a folder, and {self.folder} is a file")
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._database = sqlite3.connect(self.path, timeout=0, isolation_level=None)
        except sqlite3.DatabaseError as error:
            raise self._refusal(error) from error
        try:
            self._read()
        except BaseException:
            self._database.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def _read(self) -> None:
        for statement in OPEN:
            self._execute(statement)
        [[verdict]] = self._execute("PRAGMA quick_check(1)")
        if verdict != "ok":
            raise self._damaged(verdict)
        for key, row, file, text in self._execute("SELECT key, row, file, text FROM runs WHERE file IS NOT NULL"):
            self._settle(key, row, file, text)
        try:
            self.rows = {key: json.loads(row) for key, row in self._execute("SELECT key, row FROM runs")}
        except ValueError as error:
            raise self._damaged(error) from None

    def record(self, key: str, row: dict[str, Any], file: str | None = None, text: str = "") -> None:
        """Record a run, in the place of an earlier one with this key.

        Args:
            key: what tells the run from all others.
            row: what to remember of it; JSON, or it is remembered as it prints. Where there is a
                file, ``store_s`` is added to it: the seconds that all this took.
            file: the name of the notebook's file; always the same for one key.
            text: the notebook. Where it is empty, the file of an earlier run is deleted.
        """
        start, noted = time.perf_counter(), json.dumps(row, default=repr)
        self._execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?)", key, noted, file, text or None)
        self.rows[key] = json.loads(noted)
        if file is not None:
            self._write(file, text)
            self.rows[key]["store_s"] = round(time.perf_counter() - start, 4)
            self._settle(key, json.dumps(self.rows[key]), None, "")

    def forget(self, files: Mapping[str, str]) -> None:
        """Forget runs, all of them or none, and delete their notebooks.

        Args:
            files: the name of the notebook's file by the key of the run; empty where there is none.
        """
        self._execute("BEGIN")
        for key, file in files.items():
            self._execute("UPDATE runs SET row = NULL, file = ?, text = NULL WHERE key = ?", file, key)
        self._execute("COMMIT")
        for key, file in files.items():
            self._settle(key, None, file, "")
            self.rows.pop(key, None)

    def _settle(self, key: str, row: str | None, file: str | None, text: str | None) -> None:
        """Do what is still to be done with a run's file, and remember that it is done."""
        if file:
            self._write(file, text)
        if row is None:
            self._execute("DELETE FROM runs WHERE key = ?", key)
        else:
            self._execute("UPDATE runs SET row = ?, file = NULL, text = NULL WHERE key = ?", row, key)

    def _write(self, file: str, text: str | None) -> None:
        if text:
            write_whole(self.folder / file, text)
        else:
            (self.folder / file).unlink(missing_ok=True)

    def _execute(self, statement: str, *values: str | None) -> list[Any]:
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: sqlite3.DatabaseError) -> OSError | InputError:
        """An error of SQLite's in our words."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_BUSY:
            return BlockingIOError(f"another sweep or bench is writing to {self.folder}; wait until it ends")
        return self._damaged(error) if code in DAMAGE else OSError(f"{self.path} cannot be used: {error}")

    def _damaged(self, reason: object) -> InputError:
        words = " ".join(str(reason).split())
        return InputError(f"{self.path} is damaged ({words}); delete it, and the same command runs everything again")
