"""Selection of the pairs of systems to compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_vc.evaluate.systems.systems import SOURCE, ConversionSystem
from edge_vc.settings.optional import EvaluationError


@dataclass(frozen=True)
class Pairing:
    """``name`` is compared with ``against``, the reference."""

    name: str
    against: str


def pairings(
    systems: Sequence[ConversionSystem], against: Sequence[str] = ()
) -> tuple[Pairing, ...]:
    """Return the pairs to compare.

    All systems against each of ``against``; without it, every student against the teacher, INT8
    against the float form of the same model, and one engine against another at equal precision.
    Raises `EvaluationError` for an unknown name.
    """
    if against:
        _check_known(systems, against)
        return tuple(
            Pairing(system.name, name)
            for name in against
            for system in systems
            if system.name != name and system.kind != SOURCE
        )
    found = [Pairing(c.name, other.name) for c in systems for other in _models(c, systems)]
    return tuple(dict.fromkeys(found))


def baseline(systems: Sequence[ConversionSystem], against: Sequence[str] = ()) -> str:
    """Return the baseline of differences: the first named one, the teacher, or the source."""
    _check_known(systems, against)
    teachers = [c.name for c in systems if c.kind == "teacher"]
    return [*against, *teachers, systems[0].name][0]


def _check_known(systems: Sequence[ConversionSystem], names: Sequence[str]) -> None:
    known = [system.name for system in systems]
    for name in names:
        if name not in known:
            raise EvaluationError(f"--against {name}: no such system, only {', '.join(known)}")


def _models(
    system: ConversionSystem, all_of_them: Sequence[ConversionSystem]
) -> list[ConversionSystem]:
    """Return the systems with which a system is compared by default."""
    models = [
        c for c in all_of_them if c.kind == "teacher" and system.kind in ("student", "folder")
    ]
    if not system.precision:
        return models
    kin = [c for c in all_of_them if c.family == system.family and c is not system]
    if system.precision != "fp32":
        exact = [c for c in kin if c.precision == "fp32"]
        same = [c for c in exact if c.engine == system.engine]
        models += same or exact[:1]
    if system.engine != "onnx":
        models += [c for c in kin if (c.precision, c.engine) == (system.precision, "onnx")]
    return models
