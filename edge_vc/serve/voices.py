"""The bundles offered by a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.chain.model_inputs import input_parameters, model_parameters
from edge_vc_runtime.chain.parameter import Parameter
from edge_vc_runtime.message import one_line
from edge_vc_runtime.session import Session

MAX_BUNDLES = 16


class ServeError(Exception):
    """A server that cannot be started, or an invalid request; one-line message."""


@dataclass(frozen=True)
class VoiceFacts:
    """Facts about a bundle shown on the page."""

    key: str
    """Name by which the page selects it."""
    tier: str
    precision: str
    engine: str
    sample_rate: int
    """Hz."""
    hop_ms: float
    lookahead_ms: float
    algorithmic_ms: float
    """Hop and look-ahead together."""
    licence: str
    consent: str
    inputs: list[dict[str, object]]
    """Parameters of its conditioning inputs, in the form returned by `described`."""


def described(parameter: Parameter) -> dict[str, object]:
    """Return a parameter that the page may set, with its initial value, as a JSON object."""
    first = parameter.default if parameter.live_default is None else parameter.live_default
    return {
        "name": parameter.name,
        "unit": parameter.unit,
        "low": parameter.low,
        "high": parameter.high,
        "step": parameter.step,
        "value": first,
        "help": parameter.help,
    }


class VoiceCatalogue:
    """Bundles by key, each tier separately; each was opened once to check that it is valid."""

    def __init__(self, bundles: dict[str, Bundle], engine: str = "auto") -> None:
        self._bundles = bundles
        self._engine = engine
        self.facts = [_facts(key, self.open(key)) for key in bundles]
        """Facts in the order of the bundles given; the first is the default."""

    @classmethod
    def read(cls, paths: Sequence[Path], engine: str = "auto") -> VoiceCatalogue:
        """Read and check bundles; raises `BundleError`, `EngineError` or `ServeError`."""
        if not 1 <= len(paths) <= MAX_BUNDLES:
            raise ServeError(f"{len(paths)} bundles were given, 1 to {MAX_BUNDLES} can be served")
        bundles: dict[str, Bundle] = {}
        for path in paths:
            name, bundle = one_line(path.stem)[:60], read_bundle(path)
            tiers = bundle.manifest.tier_names
            for tier in tiers:
                key = f"{name} {tier}" if len(tiers) > 1 else name
                bundles[_free(key, bundles)] = bundle.tier(tier)
        return cls(bundles, engine)

    def open(self, key: str) -> Session:
        """Open a session of a bundle; raises `ServeError` for an unknown key."""
        if key not in self._bundles:
            raise ServeError(f"no voice {key[:60]!a}; one of {', '.join(self._bundles)}")
        return Session.open(self._bundles[key], engine=self._engine, threads=1)

    def input_parameters(self) -> tuple[Parameter, ...]:
        """Return the parameters of all bundles' conditioning inputs, each name once."""
        found = {
            parameter.name: parameter
            for bundle in reversed(self._bundles.values())
            for spec in bundle.manifest.inputs
            if spec.kind != "stream"
            for parameter in input_parameters(spec, spec.default)
        }
        return tuple(found.values())

    def described(self) -> list[dict[str, object]]:
        """Return the facts as JSON objects."""
        return [asdict(facts) for facts in self.facts]


def _free(name: str, taken: dict[str, Bundle]) -> str:
    numbered = (f"{name} ({number})" for number in range(2, MAX_BUNDLES + 2))
    return name if name not in taken else next(each for each in numbered if each not in taken)


def _facts(key: str, session: Session) -> VoiceFacts:
    manifest, rate = session.manifest, session.sample_rate
    return VoiceFacts(
        key=key,
        tier=session.model.tier,
        precision=session.model.precision,
        engine=" ".join(session.engine),
        sample_rate=rate,
        hop_ms=session.hop / rate * 1000,
        lookahead_ms=session.delay / rate * 1000,
        algorithmic_ms=manifest.algorithmic_ms,
        licence=manifest.licence,
        consent=manifest.consent,
        inputs=[described(parameter) for parameter in model_parameters(session)],
    )
