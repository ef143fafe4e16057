"""Which contenders are compared with which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_vc.evaluate.systems.systems import SOURCE, Contender
from edge_vc.settings.optional import EvaluationError


@dataclass(frozen=True)
class Pairing:
    """``name`` is measured against ``against``."""

    name: str
    against: str


def pairings(contenders: Sequence[Contender], against: Sequence[str] = ()) -> tuple[Pairing, ...]:
    """Return the pairs to compare.

    Everything against each of ``against``; without, every student against the teacher, INT8
    against the float form of the same model, and one engine against another at equal precision.
    Raises `EvaluationError` for a name that nobody has.
    """
    if against:
        _check_known(contenders, against)
        return tuple(
            Pairing(contender.name, name)
            for name in against
            for contender in contenders
            if contender.name != name and contender.kind != SOURCE
        )
    found = [Pairing(c.name, other.name) for c in contenders for other in _models(c, contenders)]
    return tuple(dict.fromkeys(found))


def baseline(contenders: Sequence[Contender], against: Sequence[str] = ()) -> str:
    """Return the contender that differences are taken from: named, the teacher, or the source."""
    _check_known(contenders, against)
    teachers = [c.name for c in contenders if c.kind == "teacher"]
    return [*against, *teachers, contenders[0].name][0]


def _check_known(contenders: Sequence[Contender], names: Sequence[str]) -> None:
    known = [contender.name for contender in contenders]
    for name in names:
        if name not in known:
            raise EvaluationError(f"--against {name}: no such contender, only {', '.join(known)}")


def _models(contender: Contender, all_of_them: Sequence[Contender]) -> list[Contender]:
    """Return what a contender should sound like."""
    models = [
        c for c in all_of_them if c.kind == "teacher" and contender.kind in ("student", "folder")
    ]
    if not contender.precision:
        return models
    kin = [c for c in all_of_them if c.family == contender.family and c is not contender]
    if contender.precision != "fp32":
        exact = [c for c in kin if c.precision == "fp32"]
        same = [c for c in exact if c.engine == contender.engine]
        models += same or exact[:1]
    if contender.engine != "onnx":
        models += [c for c in kin if (c.precision, c.engine) == (contender.precision, "onnx")]
    return models
