"""Instructions per cycle of the boards' cores, each figure with its published source.

A rate is for 128-bit operands if the instruction has them. If sources disagree, or if the rate
depends on the operands, ``least`` and ``most`` are the limits; neither includes division and square
roots. Arm's own guides were only consulted where `SOURCES` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SOURCES: Mapping[str, str] = {
    "gcc-a53": "GCC, gcc/config/arm/cortex-a53.md (written by Arm): two 64-bit units, each "
    "with an ALU and a multiplication pipe; 128-bit instructions take both and issue from slot "
    "0, 128-bit loads take the load pipe for two cycles",
    "llvm-a53": "LLVM, AArch64SchedA53.td (2026): two instructions per cycle, two integer "
    "ALUs, one load/store and one branch unit; 128-bit SIMD takes its pipe for two cycles",
    "ncnn-a53": "ncnn, docs/developer-guide/arm-a53-a55-dual-issue.md: a 128-bit load takes "
    "two cycles, FMLA of 128 bits issues beside a scalar load",
    "llvm-a57": "LLVM, AArch64SchedA57.td, by AArch64Processors.td also the model of the "
    "Cortex-A72: three-way dispatch, pipes B, I, I, M, L, S, X, W; FMLA and FADD of 128 bits "
    "take both of X and W, integer SIMD one of them, SMLAL takes W; a 128-bit store takes S "
    "twice",
    "slothy-a72": "SLOTHY, targets/aarch64/cortex_a72_frontend.py, from Arm's Cortex-A72 "
    "Software Optimization Guide, section 4.1: three micro-operations are dispatched per cycle; "
    "SMULL and SMLAL on one of the two SIMD pipes, shifts on the other, 128-bit loads and stores "
    "one per cycle",
    "vfpbench-a72": "VFP Benchmark on a Cortex-A72 at 2.0 GHz "
    "(wlog.flatlib.jp/2015/10/30/n1787): 15.9 GFLOPS of one core, which is one FMLA of 128 bits "
    "per cycle, on two 64-bit pipes",
    "wikichip": "WikiChip, FLOPs by microarchitecture: one 128-bit FMA of the Cortex-A57, two "
    "of the Cortex-A76 and A78",
    "llvm-n1": "LLVM, AArch64SchedNeoverseN1.td, after Arm's guide of the Neoverse N1, the "
    "server's Cortex-A76: pipes B, S, S, M, L, L, V0, V1; FMLA and SIMD arithmetic on both V, "
    "SMLAL on V0, shifts on V1; a 128-bit store takes both L",
    "slothy-n1": "SLOTHY, targets/aarch64/neoverse_n1_experimental.py: four instructions per cycle",
    "anandtech-a76": "AnandTech, Cortex-A76 unveiled: three integer pipelines, one branch "
    "port, two load/store units and two SIMD pipelines",
    "arm-a78": "Arm, Cortex-A78 Core Software Optimization Guide r1p2 (102160), read "
    "second-hand: six macro-operations per cycle; 13 pipes, of them 2 for branches, 4 integer, 2 "
    "SIMD, 2 for loads and stores and 1 for loads; FMLA and SDOT two per cycle",
    "arm-a720": "Arm, Cortex-A720 Core Software Optimization Guide (109720), a later core with "
    "the same 13 pipes: SMLAL one per cycle, SDOT two, ALU four, branches two; shifts on one "
    "SIMD pipe",
}
"""Sources that a `Rate` refers to by key."""


@dataclass(frozen=True)
class Rate:
    """Instructions of one class per cycle."""

    least: float
    most: float
    sources: tuple[str, ...]
    """Keys of `SOURCES`; empty if no source was found."""


@dataclass(frozen=True)
class CoreRates:
    """The rates of one core. The A78AE is an A78 that can also run in lock-step."""

    width: Rate
    """Instructions of all classes together."""
    simd: Rate
    """Other SIMD and floating point; ``most`` also limits all SIMD classes together."""
    float_fma: Rate
    widening: Rate
    """Multiplications with widened results."""
    dot_product: Rate
    """Also used for matrix products, for which none of these cores has an instruction."""
    memory: Rate
    """Loads and stores together."""
    integer: Rate
    branch: Rate


def _rate(least: float, most: float, *sources: str) -> Rate:
    return Rate(least, most, sources)


_NEVER = Rate(1, 1, ())
"""Rate of an instruction that the core lacks, which is never counted."""
RATES: Mapping[str, CoreRates] = {
    "Cortex-A53": CoreRates(
        width=_rate(2, 2, "llvm-a53", "gcc-a53"),
        simd=_rate(0.5, 2, "llvm-a53", "gcc-a53"),  # 128 bits, 64 bits
        float_fma=_rate(0.5, 1, "llvm-a53", "gcc-a53"),
        widening=_rate(0.5, 1, "llvm-a53", "gcc-a53"),
        dot_product=_NEVER,
        memory=_rate(0.5, 1, "gcc-a53", "ncnn-a53"),
        integer=_rate(2, 2, "llvm-a53", "gcc-a53"),
        branch=_rate(1, 1, "llvm-a53", "gcc-a53"),
    ),
    "Cortex-A57": CoreRates(
        width=_rate(3, 3, "llvm-a57"),
        simd=_rate(1, 2, "llvm-a57"),  # float, integer
        float_fma=_rate(1, 1, "llvm-a57", "wikichip"),
        widening=_rate(1, 1, "llvm-a57"),
        dot_product=_NEVER,
        memory=_rate(0.5, 2, "llvm-a57"),  # 128-bit stores; a load and a store
        integer=_rate(2, 3, "llvm-a57"),
        branch=_rate(1, 1, "llvm-a57"),
    ),
    "Cortex-A72": CoreRates(
        width=_rate(3, 3, "slothy-a72", "llvm-a57"),
        simd=_rate(1, 2, "slothy-a72", "llvm-a57", "vfpbench-a72"),
        float_fma=_rate(1, 1, "vfpbench-a72", "llvm-a57"),
        widening=_rate(1, 1, "slothy-a72", "llvm-a57"),
        dot_product=_NEVER,
        memory=_rate(1, 2, "slothy-a72", "llvm-a57"),
        integer=_rate(2, 3, "llvm-a57"),
        branch=_rate(1, 1, "llvm-a57"),
    ),
    "Cortex-A76": CoreRates(
        width=_rate(4, 4, "slothy-n1"),
        simd=_rate(1, 2, "llvm-n1", "anandtech-a76"),  # shifts, arithmetic
        float_fma=_rate(2, 2, "llvm-n1", "wikichip"),
        widening=_rate(1, 1, "llvm-n1"),
        dot_product=_rate(2, 2, "llvm-n1"),  # like all SIMD arithmetic there
        memory=_rate(1, 2, "llvm-n1", "anandtech-a76"),
        integer=_rate(3, 3, "llvm-n1", "anandtech-a76"),
        branch=_rate(1, 1, "llvm-n1", "anandtech-a76"),
    ),
    "Cortex-A78AE": CoreRates(
        width=_rate(6, 6, "arm-a78"),
        simd=_rate(1, 2, "arm-a720", "arm-a78"),
        float_fma=_rate(2, 2, "arm-a78", "wikichip"),
        widening=_rate(1, 1, "arm-a720", "llvm-n1"),  # from the cores after and before it
        dot_product=_rate(2, 2, "arm-a78", "arm-a720"),
        memory=_rate(2, 3, "arm-a78"),
        integer=_rate(4, 4, "arm-a78", "arm-a720"),
        branch=_rate(2, 2, "arm-a78", "arm-a720"),
    ),
}
"""Rates by the core's name in a board's profile."""
