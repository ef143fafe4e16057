"""A board's ``/proc`` and ``/sys``, written as files.

onnxruntime and XNNPACK select kernels by the CPU's ID and features, which they read there.
"""

from __future__ import annotations

from pathlib import Path

from edge_vc_boards.board import Board, Cpu

HOST_PROC = "/run/proc"
"""Where the kernel's own ``/proc`` is mounted in the emulated root."""
_ARM = 0x41
_KERNELS_OWN = (
    "filesystems", "loadavg", "meminfo", "mounts", "self", "stat", "sys", "thread-self", "uptime",
    "version",
)  # fmt: skip


def write_fake_proc(board: Board, folder: Path) -> None:
    """Write ``proc`` and ``sys`` below ``folder``, to be mounted in the emulated root.

    Entries that do not depend on the board, such as ``/proc/self``, are links to the kernel's.
    """
    cpu, _ = board.processor()
    files = {
        "proc/cpuinfo": _cpuinfo(board, cpu),
        "proc/device-tree/model": f"{board.full_model}\0",
        **{f"sys/devices/system/cpu/{k}": f"{v}\n" for k, v in _cpu_tree(cpu).items()},
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in _KERNELS_OWN:
        (folder / "proc" / name).symlink_to(f"{HOST_PROC}/{name}")


def _cpuinfo(board: Board, cpu: Cpu) -> str:
    core = (
        f"BogoMIPS\t: 108.00\nFeatures\t: {' '.join(cpu.features)}\n"
        f"CPU implementer\t: {_ARM:#x}\nCPU architecture: 8\nCPU variant\t: {cpu.variant:#x}\n"
        f"CPU part\t: {cpu.part:#05x}\nCPU revision\t: {cpu.revision}\n\n"
    )
    cores = "".join(f"processor\t: {index}\n{core}" for index in range(cpu.cores))
    return f"{cores}Model\t\t: {board.full_model}\n"


def _cpu_tree(cpu: Cpu) -> dict[str, object]:
    """Return the files of ``/sys/devices/system/cpu``."""
    every = f"0-{cpu.cores - 1}"
    files: dict[str, object] = {"possible": every, "present": every, "online": every}
    for index in range(cpu.cores):
        facts = {
            **{f"topology/{key}": value for key, value in _topology(index, every).items()},
            **{f"cpufreq/{key}": value for key, value in _frequency(cpu).items()},
            "regs/identification/midr_el1": f"{_main_id(cpu):#018x}",
        }
        files |= {f"cpu{index}/{key}": value for key, value in facts.items()}
    return files | {"kernel_max": 255}


def _topology(index: int, every: str) -> dict[str, object]:
    return {
        "core_id": index,
        "physical_package_id": 0,
        "cluster_id": 0,
        "core_siblings_list": every,
        "cluster_cpus_list": every,
        "package_cpus_list": every,
        "thread_siblings_list": index,
        "core_cpus_list": index,
    }


def _frequency(cpu: Cpu) -> dict[str, object]:
    return {
        "cpuinfo_max_freq": cpu.clock_mhz * 1000,
        "cpuinfo_min_freq": 600_000,
        "scaling_cur_freq": cpu.clock_mhz * 1000,
        "scaling_governor": "ondemand",
        "scaling_available_governors": "ondemand performance powersave schedutil",
    }


def _main_id(cpu: Cpu) -> int:
    """Return MIDR_EL1: implementer, variant, architecture 15, part, revision."""
    return _ARM << 24 | cpu.variant << 20 | 0xF << 16 | cpu.part << 4 | cpu.revision
