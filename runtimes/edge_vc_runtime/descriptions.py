"""Descriptions of bundles, inputs and outputs as text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from edge_vc_runtime.audio.sink import AudioSink
from edge_vc_runtime.audio.source import AudioSource
from edge_vc_runtime.bundle.input_spec import InputSpec
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.bundle.signature import SignerIdentity
from edge_vc_runtime.engines.measurement import Measurement
from edge_vc_runtime.engines.selection import EngineSelection
from edge_vc_runtime.figures import titled_figures
from edge_vc_runtime.golden import Replay
from edge_vc_runtime.live.offline import Conversion
from edge_vc_runtime.message import one_line, printable
from edge_vc_runtime.profiling.comparison import Refusal
from edge_vc_runtime.session import Session


def describe_selection(selection: EngineSelection) -> str:
    """Return the selected engine and the reason, in one line."""
    return one_line(
        f"engine {selection.engine} ({selection.library} {selection.version}), "
        f"{selection.precision}: {selection.reason}"
    )


def describe_signature(bundle: Bundle, signer: SignerIdentity | None) -> str:
    """Return the signer of a bundle, as far as this machine can tell, in one line."""
    if bundle.signature is None:
        return "not signed"
    return describe_signer(signer) if signer else "signed, not checked: no list of signers here"


def describe_signer(signer: SignerIdentity) -> str:
    """Return the signer, in one line."""
    return one_line(f"signed by {signer.principal} with {signer.fingerprint}")


def describe_comparison(made: Measurement, refusals: Iterable[Refusal]) -> list[str]:
    """Return a table of the measurements, fastest first, and of what could not run."""
    rows = sorted(made.timings, key=lambda c: c.us_per_hop)
    fastest = rows[0].us_per_hop
    lines = ["engine   precision   us per hop   of the fastest   library"]
    lines += [
        f"{row.engine:<8} {row.precision:<11} {row.us_per_hop:>10.1f}   "
        f"{row.us_per_hop / fastest:>13.2f}x   {row.library} {row.version}"
        for row in rows
    ]
    lines += [f"{r.engine:<8} {r.precision:<11} cannot run: {r.reason}" for r in refusals]
    return list(map(printable, lines))


def describe_replay(replay: Replay, with_tier: bool = False) -> str:
    """Return how close an engine came to the golden recording, in one line."""
    tier = f"{replay.tier} " if with_tier else ""
    snr = "" if replay.snr_db is None else f", {replay.snr_db:.1f} dB"
    return printable(
        f"golden {tier}{replay.precision} {replay.engine} ({replay.library} {replay.version}): "
        f"{'equal' if replay.equal else 'DIFFERENT'}, "
        f"at most {replay.difference:.2e} off{snr} (allowed {replay.tolerance:.0e})"
    )


def describe_bundle(bundle: Bundle) -> list[str]:
    """Return a bundle's manifest as lines of text."""
    manifest = bundle.manifest
    tiers = [manifest.tier(name) for name in manifest.tier_names]
    lines = [f"{manifest.name} {manifest.version}, {one_line(manifest.licence)}"]
    for tier in tiers:
        if len(tiers) > 1:
            star = " (default)" if tier.default == manifest.default else ""
            lines.append(f"  tier {tier.default_tier}{star}")
        lines += _describe_tier(tier)
        if len(tiers) > 1:
            lines += _figures(tier)
    boards = one_line(", ".join(manifest.boards))
    lines += [f"  boards: {boards}", f"  consent: {one_line(manifest.consent)}"]
    if len(tiers) == 1:
        lines += _figures(manifest)
    return list(map(printable, lines))


def _figures(manifest: Manifest) -> list[str]:
    """Return the measured figures stated by the bundle; their names are its maker's."""
    return [f"  measured: {one_line(line)}" for line in titled_figures(manifest.metrics)]


def _describe_tier(manifest: Manifest) -> list[str]:
    lines = [
        f"  {manifest.sample_rate} Hz, hop {manifest.hop}, delay {manifest.delay} samples: "
        f"{manifest.algorithmic_ms:.1f} ms algorithmic latency, {len(manifest.states)} states"
    ]
    lines += [f"  {_describe_input(spec)}" for spec in manifest.inputs]
    for model in manifest.models:
        size = manifest.files[model.file].size
        star = " (default)" if model.file == manifest.default else ""
        lines.append(
            f"  {model.file}: {model.precision}, {model.tier}, {model.parameters:,} parameters, "
            f"{model.macs_per_second / 1e6:.1f} MMAC/s, {size / 1e6:.2f} MB{star}"
        )
    return lines


def _describe_input(spec: InputSpec) -> str:
    """Return a conditioning input: its values, its effect, its default."""
    entries = f" of {', '.join(spec.labels)}" if spec.labels else ""
    sizes = f"{spec.size} numbers" if spec.size > 1 else "a number"
    default = ", ".join(f"{value:g}" for value in spec.default)
    if spec.size > len(spec.labels) and len(set(spec.default)) == 1:
        default = f"{spec.default[0]:g}"
    return one_line(
        f"input {spec.name}: {sizes}{entries}, {spec.low:g} to {spec.high:g} {spec.unit}".rstrip()
        + f" (default: {default}): {spec.meaning}"
    )


def describe_input(source: AudioSource, session: Session) -> str:
    """Return the input, its preprocessing, and the model and engine, in three lines."""
    form = f"{source.sample_rate} Hz, channels: {source.channels}"
    into = [f"resampled to {session.sample_rate} Hz"] * (source.sample_rate != session.sample_rate)
    into += ["mixed to one channel"] * (source.channels > 1)
    manifest = session.manifest
    lines = (
        f"{source.name}: {form}{'; ' if into else ''}{' and '.join(into)}",
        f"{manifest.name} {manifest.version}: {session.model.file}, threads: {session.threads}, "
        f"{manifest.algorithmic_ms:.1f} ms algorithmic latency",
        describe_selection(session.selection),
    )
    return "\n".join(map(printable, lines))


def describe_output(sink: AudioSink, rate: int, done: Conversion) -> str:
    """Return the output and the time per hop, in one line."""
    times = done.times
    p99 = times.percentile_ms(99)
    tail = "" if p99 is None else f"p99 {p99:.3f}, "
    factor = f" (RTF {times.rtf:.4f})" if times.rtf is not None else ""
    return printable(
        f"{sink.name}: {done.seconds:.2f} s at {rate} Hz in {done.wall_seconds:.2f} s; per hop "
        f"p50 {times.percentile_ms(50):.3f}, {tail}max {times.max_ns / 1e6:.3f} ms{factor}; "
        f"{times.late} of {times.count} late"
    )
