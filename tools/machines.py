"""Other computers, on this one: environments in which TensorFlow computes as their processors would.

oneDNN and XLA choose their code by the processor's vector instructions, and a convolutional training
moves with that choice as it moves with another seed. The variables take effect in processes that are
started with them.
"""

import os
import subprocess
import sys

AVX2 = {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": "AVX2", "XLA_FLAGS": "--xla_cpu_max_isa=AVX2"}

MACHINES = {
    "sse41": {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": "SSE41", "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2"},
    "avx2": AVX2,
    "avx512": {
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX512",
    },
    "eigen": {"TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_MAX_CPU_ISA": "", "XLA_FLAGS": ""},  # "": as if it were not set
    "one-core": {
        **AVX2,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
    },
}
"""The environment of each machine, by its name. A machine without an instruction set computes as if
it were not asked to use it; on an Arm processor only ``eigen`` and ``one-core`` mean something."""

USUAL = "avx2"
"""The machine on which outputs are stored and compared, where nothing else is asked for: most computers have it."""


def use_the_usual() -> None:
    """Let the kernels that this process starts compute as the usual machine, unless the environment says otherwise.

    So does this process, where it has not computed yet: TensorFlow reads the instruction sets when it first computes.
    Whether to use oneDNN it reads when it is imported; `make` tells it.
    """
    os.environ.update(MACHINES[USUAL] | dict(os.environ))


def main() -> str | int:
    """Run a command as each machine: ``python -m tools.machines avx2 one-core -- COMMAND``; ``all`` names every one."""
    names, command = sys.argv[1 : sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1 :]
    names = list(MACHINES) if names == ["all"] else names
    if unknown := set(names) - set(MACHINES):
        there = ", ".join(MACHINES)
        return f"there is no machine {', '.join(sorted(unknown))}; there are {there}, and all for each of them"
    failed = [name for name in names if not _passes(name, command)]
    return f"failed as {', '.join(failed)}" if failed else 0


def _passes(name: str, command: list[str]) -> bool:
    print(f"as {name}: {' '.join(command)}", flush=True)
    return subprocess.run(command, env=os.environ | MACHINES[name]).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
