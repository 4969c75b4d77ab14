"""What a worker of a sweep does: one papermill run."""

import contextvars
import hashlib
import os
import platform
import resource
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import nbformat
import papermill
from distributed import get_worker
from jupyter_client import AsyncKernelManager
from traitlets import Integer
from traitlets.config import Config

import aebook
from aebook.notebooks import glued

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

KERNEL_LOG = "log"
"""What a kernel writes to its terminal goes into this file, not between the lines of the progress."""

def aebook_code():
    """A hash of the modules of this package that a notebook may use."""
    modules = sorted(Path(aebook.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\n".join(path.read_bytes() for path in modules)).hexdigest()[:12]


class _Kernel(AsyncKernelManager):
    """A kernel on one thread, within its worker's memory, with its log beside its sockets."""

    memory_limit = Integer(None, allow_none=True, config=True, help="Bytes that the kernel may take.")

    async def start_kernel(self, **kwargs):
        limit, (_, hard) = self.memory_limit, resource.getrlimit(resource.RLIMIT_DATA)
        if limit and (hard == resource.RLIM_INFINITY or limit < hard):
            kwargs["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
        with open(Path(self.ip).with_name(KERNEL_LOG), "wb") as log:
            await super().start_kernel(
                env={**os.environ, **KERNEL_ENVIRONMENT}, stdout=log, stderr=log, **kwargs
            )


def _memory_limit():
    """Bytes that a run may take: the share of a Dask worker's limit that one of its threads has."""
    try:
        worker = get_worker()
    except ValueError:  # not on a Dask worker
        return None
    limit = worker.memory_manager.memory_limit
    return limit and limit // worker.state.nthreads


def run(source, parameters, name, code, folder, scratch):
    """Execute one notebook on a kernel of its own.

    Args:
        source: the notebook as text.
        parameters: a value for each of its parameters.
        name: file name of the run, without its ending.
        code: what aebook_code() is where the sweep runs.
        folder: where the notebook lies; the kernel works there if the worker has that folder.
        scratch: where the notebook is written while it is executed, if the worker has that folder.

    Returns:
        The run's part of a row (status, error, results, wall_s, peak_mb, worker, versions), and the
        executed notebook as text, empty if there is none. A failed run is no exception.

    Raises:
        RuntimeError: if this worker's package is another than the sweep's.
    """
    if aebook_code() != code:
        raise RuntimeError("this worker has another version of aebook than the sweep that called it")
    start, error = time.monotonic(), ""
    with tempfile.TemporaryDirectory() as temporary:
        original, log = Path(temporary) / "original.ipynb", Path(temporary) / KERNEL_LOG
        original.write_text(source, encoding="utf-8")
        log.touch()
        # Where the worker sees the sweep's own folder, what is done so far outlives the worker.
        executed = Path(scratch if os.path.isdir(scratch) else temporary) / f"{name}.ipynb"
        # Kernels that start together race for TCP ports; sockets in a folder of their own do not.
        kernel = {"transport": "ipc", "ip": f"{temporary}/kernel", "memory_limit": _memory_limit()}
        try:
            # In a context of its own: Jupyter keeps its event loop in one, and Dask's threads share theirs.
            contextvars.Context().run(
                papermill.execute_notebook,
                literally(original), literally(executed), parameters, progress_bar=False,
                kernel_manager_class=_Kernel, config=Config(KernelManager=kernel),
                extra_arguments=["--Application.log_level=ERROR"],
                resources={"metadata": {"path": folder if os.path.isdir(folder) else temporary}},
            )
        except papermill.PapermillExecutionError as failure:
            error = f"cell [{failure.exec_count}]: {failure.ename}: {failure.evalue}"
        except Exception as failure:  # its row says so; the other runs go on
            error = (f"{type(failure).__name__}: {failure}. The kernel's last words: "
                     + log.read_text(encoding="utf-8", errors="replace")[-300:])
        results, text = take(executed)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "status": "failed" if error else "complete",
        "error": " ".join(error.split()),
        "results": results,
        "wall_s": round(time.monotonic() - start, 3),
        "peak_mb": round(peak / 1e6),
        "worker": f"{platform.node()}-{os.getpid()}",
        "python": platform.python_version(),
        **{package: version(package) for package in ("keras", "tensorflow", "aebook")},
    }, text


def literally(path):
    """A path for papermill, which takes braces in one for places to fill."""
    return str(path).replace("{", "{{").replace("}", "}}")


def take(path):
    """Take an executed notebook away: what it recorded, and its text, without where it lay.

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
