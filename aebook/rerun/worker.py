"""What a worker of a sweep does: one papermill run."""

import contextvars
import importlib.util
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import papermill
from distributed import get_worker
from jupyter_client import AsyncKernelManager
from traitlets import Integer, Unicode
from traitlets.config import Config

from aebook.notebooks import glued
from aebook.rerun import provenance

KERNEL_ENVIRONMENT = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
}
"""Each run computes on one thread, whatever the number of workers, so that this number changes
no result; and on a GPU it takes only the memory it needs."""

LONGEST_SOCKET = 100
"""Bytes in the path of a socket: systems allow from 103 on, and Jupyter adds a few to what it is given."""

KERNEL_START = 600
"""Seconds after which a kernel that does not answer is given up: many times what it needs on a busy machine."""

CAN_LIMIT_MEMORY = importlib.util.find_spec("resource") is not None
"""Whether this system can bound and measure the memory of a kernel; Windows cannot."""


class _Kernel(AsyncKernelManager):
    """A kernel on one thread, within its worker's memory, with its log in a file."""

    memory_limit = Integer(None, allow_none=True, config=True, help="Bytes that the kernel may take.")
    log_file = Unicode(config=True, help="Where what it writes to its terminal goes.")

    async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]  # Jupyter's says less
        if self.memory_limit and CAN_LIMIT_MEMORY:
            kwargs["preexec_fn"] = _limit(self.memory_limit)
        with open(self.log_file, "wb") as log:
            await super().start_kernel(env={**os.environ, **KERNEL_ENVIRONMENT}, stdout=log, stderr=log, **kwargs)


def _limit(memory: int) -> Callable[[], None]:
    """What a new process calls to bound its memory, unless it has a lower bound already."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    return lambda: resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _peak_mb() -> int | None:
    """The largest memory of a kernel that this worker has had, or None where the system does not tell."""
    if not CAN_LIMIT_MEMORY:
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return round(peak * (1 if sys.platform == "darwin" else 1024) / 1e6)


def _memory_limit() -> int | None:
    """Bytes that a run may take: the share of a Dask worker's limit that one of its threads has."""
    try:
        worker = get_worker()
    except ValueError:  # not on a Dask worker
        return None
    limit = worker.memory_manager.memory_limit
    return limit and limit // worker.state.nthreads


def transport(folder: str) -> dict[str, str]:
    """How a worker and its kernel talk, as settings of Jupyter's.

    Kernels that start together race for TCP ports; sockets in a folder of their own do not. But
    Windows has none, and the path of a socket must be short.
    """
    path = f"{folder}/kernel"
    if os.name == "nt" or len(os.fsencode(path)) > LONGEST_SOCKET:
        return {"transport": "tcp"}
    return {"transport": "ipc", "ip": path}


def run(
    source: str, parameters: dict[str, Any], file: str, code: str, folder: str, partial: str
) -> tuple[dict[str, Any], str]:
    """Execute one notebook on a kernel of its own.

    Args:
        source: the notebook as text.
        parameters: a value for each of its parameters.
        file: the name of the notebook's file.
        code: what aebook.rerun.provenance says of the notebook where the sweep runs.
        folder: where the notebook lies; the kernel works there if the worker has that folder.
        partial: where the notebook is written while it is executed, if the worker has that folder.

    Returns:
        The run's part of a row (status, error, results, wall_s, peak_mb, worker, versions), and the
        executed notebook as text, empty if there is none. A failed run is no exception.

    Raises:
        RuntimeError: if this worker's package is another than the sweep's.
    """
    start, error = time.monotonic(), ""
    if provenance.notebook_code(source) != code:
        raise RuntimeError("this worker has another version of aebook than the sweep that called it")
    with tempfile.TemporaryDirectory() as temporary:
        original, log = Path(temporary) / "original.ipynb", Path(temporary) / "log"
        original.write_text(source, encoding="utf-8")
        log.touch()
        # Where the worker sees the sweep's own folder, what is done so far outlives the worker.
        executed = Path(partial if os.path.isdir(partial) else temporary) / file
        kernel = {**transport(temporary), "memory_limit": _memory_limit(), "log_file": str(log)}
        try:
            # In a context of its own: Jupyter keeps its event loop in one, and Dask's threads share theirs.
            contextvars.Context().run(
                papermill.execute_notebook,
                escape_braces(original),
                escape_braces(executed),
                parameters,
                progress_bar=False,
                start_timeout=KERNEL_START,
                kernel_manager_class=_Kernel,
                config=Config(KernelManager=kernel),
                extra_arguments=["--Application.log_level=ERROR"],
                resources={"metadata": {"path": folder if os.path.isdir(folder) else temporary}},
            )
        except papermill.PapermillExecutionError as failure:
            error = f"cell [{failure.exec_count}]: {failure.ename}: {failure.evalue}"
        except Exception as failure:  # its row says so; the other runs go on
            error = (
                f"{type(failure).__name__}: {failure}. The kernel's last words: "
                + log.read_text(encoding="utf-8", errors="replace")[-300:]
            )
        results, text = collect(executed)
    return {
        "status": "failed" if error else "complete",
        "error": " ".join(error.split()),
        "results": results,
        "wall_s": round(time.monotonic() - start, 3),
        "peak_mb": _peak_mb(),
        "worker": f"{platform.node()}-{os.getpid()}",
        "python": platform.python_version(),
        **{package: version(package) for package in ("keras", "tensorflow", "aebook")},
    }, text


def escape_braces(path: Path) -> str:
    """A path for papermill, which takes braces in one for places to fill."""
    return str(path).replace("{", "{{").replace("}", "}}")


def collect(path: Path) -> tuple[dict[str, Any], str]:
    """What an executed notebook recorded, and its text, without where it lay; the file is deleted.

    Both are empty if there is none, or if it was being written when its worker died.
    """
    if not path.exists():
        return {}, ""
    try:
        notebook = nbformat.read(path, as_version=4)
    except nbformat.reader.NotJSONError:
        return {}, ""
    finally:
        path.unlink()
    notebook.metadata.papermill.update(input_path="", output_path=path.name)
    return glued(notebook), nbformat.writes(notebook)
