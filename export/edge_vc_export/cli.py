"""``edge-vc export``: write a bundle from a compression run, or unpack one into plain files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import Verb, notes, verb_app
from edge_vc_export.bundle.output import BUNDLE_OR_FOLDER, named_bundle
from edge_vc_runtime.message import printable, shown_path

if TYPE_CHECKING:
    from edge_vc_export.bundle.release import Release
    from edge_vc_export.job import Overrides

HELP = """Write a bundle from a compression run, or unpack one.

Exports the students to ONNX and TFLite, verifies that the files agree with PyTorch and with each
other, benchmarks INT8 against fp32 and writes the bundle. Name, version, licence, consent, formats
and precisions are taken from the run unless given here. A bundle as SOURCE is rewritten, or
unpacked if -o is not an .evc file. With --tiers several students become one bundle: a live
conversion switches to a smaller one if the board is too slow. Paths of written files are printed
on stdout, everything else on stderr.
"""
NOTES = notes(
    """
edge-vc export build/run -o kathleen.evc
edge-vc export build/run --format tflite --precision int8 -o small.evc
edge-vc export build/run --postfilter 1.3 -o sharper.evc
edge-vc export float.safetensors --quantized int8.safetensors -o voice.evc \\
    --licence CC0-1.0 --consent "How the owner of the voice agreed."
edge-vc export old.evc -o new.evc        (rewrites it, with both formats)
edge-vc export old.evc --recover -o new.evc   (recovers from loud events in two seconds)
edge-vc export kathleen-base -o parts/   (unpacks a shipped bundle)
edge-vc export build/base build/nano --tiers base,nano -o voice.evc
edge-vc export kathleen --tiers base,nano -o kathleen.evc   (of two shipped bundles)
""",
    "0 done, 2 bad input or a failed verification, 130 Ctrl-C",
)

app = verb_app()


@app.command("export", cls=Verb, help=HELP, epilog=NOTES)
def export_command(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Run folder of `edge-vc compress`, a float student.safetensors, or a "
            "bundle: a file or a shipped one's name. Several with --tiers.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        output_option(
            BUNDLE_OR_FOLDER,
            "--output",
            "-o",
            metavar="PATH",
            help="Bundle to write, or folder to unpack a bundle into.",
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(help="Formats to write, of onnx and tflite (default: the run's, or both)."),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Precisions to write, of fp32, int8 and dynamic-int8 (default: the run's, or "
            "fp32,int8)."
        ),
    ] = None,
    quantized: Annotated[
        Path | None,
        typer.Option(help="The INT8 student that belongs to a float student.safetensors."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the bundle, instead of the run's.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Version of the bundle, instead of the run's.")
    ] = None,
    tier: Annotated[
        str | None, typer.Option(help="Tier in the manifest, instead of that of the weights.")
    ] = None,
    tiers: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Pack several students, the default one first: one SOURCE per name, or one "
            "folder, bundle or common prefix of shipped names that has them all.",
        ),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(
            help="SPDX licence of the voice, instead of the run's; required for a student file."
        ),
    ] = None,
    consent: Annotated[
        str | None,
        typer.Option(
            help="How the owner of the voice agreed, instead of the run's; required for a student "
            "file."
        ),
    ] = None,
    attribution: Annotated[
        str | None,
        typer.Option(help="Whose recordings the model was trained on, instead of the run's."),
    ] = None,
    postfilter: Annotated[
        float | None,
        typer.Option(
            help="For a run or a student: how much the peaks and valleys of its filters are "
            "enhanced, 1 to 2, instead of the run's; 1, the default for a student file: not at all."
        ),
    ] = None,
    recover: Annotated[
        bool,
        typer.Option(
            "--recover",
            help="For a bundle: put its weights behind the running mean that recovers from loud "
            "events within two seconds; earlier students need ten.",
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Export a run that is unfinished or was stopped by a limit; the bundle says so.",
        ),
    ] = False,
) -> None:
    """See `HELP`."""
    # Heavy imports are deferred until the command runs.
    from edge_vc.assets import find_bundle
    from edge_vc_export.bundle.unpack import unpack
    from edge_vc_export.errors import ExportError
    from edge_vc_export.job import Overrides
    from edge_vc_runtime.bundle.reader import read_bundle

    overrides = Overrides(
        name, version, tier, licence, consent, attribution, _words(format), _words(precision),
        postfilter,
    )  # fmt: skip
    if tiers is not None:
        if recover:
            raise ExportError("--recover: recover each bundle on its own, then pack them")
        _pack(source, _words(tiers) or (), output, overrides, force)
        return
    if len(source) > 1:
        raise ExportError(f"{len(source)} sources: name their tiers, as in --tiers base,nano")
    place = find_bundle(source[0])
    if recover:
        _check_recover(place, output)
    if place.suffix == ".evc" and (output is None or output.suffix != ".evc"):
        for file in unpack(place, output or Path(place.stem)):
            typer.echo(shown_path(file), color=True)
    elif place.suffix == ".evc" and len(names := read_bundle(place).manifest.tier_names) > 1:
        _pack(source, names, output or place, overrides, force)
    elif place.suffix == ".evc":
        _report(_rewrite(place, output or place, overrides, recover))
    else:
        _report(_export(place, quantized, output, overrides, force))


def _check_recover(source: Path, output: Path | None) -> None:
    """Raise `ExportError` if `--recover` would have no effect."""
    from edge_vc_export.errors import ExportError
    from edge_vc_runtime.bundle.reader import read_bundle

    if source.suffix != ".evc" or output is None or output.suffix != ".evc":
        raise ExportError("--recover: is for a bundle that is written to -o NAME.evc")
    if len(names := read_bundle(source).manifest.tier_names) > 1:
        raise ExportError(f"--recover: {source} holds {len(names)} tiers; recover each on its own")


def _pack(
    sources: list[str],
    tiers: tuple[str, ...],
    output: Path | None,
    overrides: Overrides,
    force: bool,
) -> None:
    """Export several students into one bundle and print its path."""
    from edge_vc.command_line.steps import Notes, stderr_console
    from edge_vc_export.tiers_job import TiersJob, find_sources
    from edge_vc_runtime.bundle.reader import read_bundle

    job = TiersJob(find_sources(sources, tiers), overrides, force)
    with Notes(stderr_console(), "exporting") as notes:
        path = job.run(output, notes.show)
    names = ", ".join(read_bundle(path).manifest.tier_names)
    typer.echo(f"size: {path.stat().st_size / 1e6:.2f} MB; tiers: {names}", err=True)
    typer.echo(shown_path(path), color=True)


def _words(text: str | None) -> tuple[str, ...] | None:
    """Split ``a,b`` and drop duplicates; None stays None."""
    if text is None:
        return None
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _export(
    source: Path, quantized: Path | None, output: Path | None, overrides: Overrides, force: bool
) -> Release:
    """Export a run folder or a student's file."""
    from edge_vc.command_line.steps import Notes, stderr_console
    from edge_vc_export.compress_run import CompressRun
    from edge_vc_export.job import job_of_run, job_of_student

    if source.is_dir():
        run = CompressRun.read(source)
        job = job_of_run(run, overrides, force=force, quantized=quantized)
    else:
        stem = output.stem if output else ""
        job = job_of_student(source, overrides, quantized=quantized, name=stem)
    path = output or named_bundle(job.facts.name)
    with Notes(stderr_console(), "exporting") as notes:
        return job.run(path, notes.show)


def _rewrite(source: Path, output: Path, overrides: Overrides, recover: bool) -> Release:
    """Rewrite a bundle; it keeps its own facts."""
    from edge_vc.command_line.steps import Notes, stderr_console
    from edge_vc_export.bundle.release import rewrite_bundle
    from edge_vc_export.bundle.selection import Selection
    from edge_vc_export.errors import ExportError

    if given := overrides.given_facts():
        raise ExportError(f"--{given[0]}: {source} keeps its own facts; export its run instead")
    with Notes(stderr_console(), "exporting") as notes:
        chosen = overrides.selection(Selection())
        return rewrite_bundle(source, output, chosen, recovering=recover, note=notes.show)


def _report(release: Release) -> None:
    """Print the measurements on stderr, and the bundle's path on stdout."""
    from edge_vc_export.bundle.measured import write_measured

    for line in _findings(release):
        typer.echo(printable(line), err=True)
    measured = write_measured(release)
    typer.echo(printable(f"measured here, beside the bundle: {measured}"), err=True)
    typer.echo(shown_path(release.path), color=True)


def _findings(release: Release) -> Iterator[str]:
    verification = release.verification
    nodes = ", ".join(f"{count} in {name}" for name, count in release.nodes.items())
    yield f"size: {release.path.stat().st_size / 1e6:.2f} MB; default precision: {release.default}"
    yield f"nodes: {nodes}"
    for format, fp32 in verification.fp32.items():
        yield f"fp32 as {format} against PyTorch: largest difference {fp32.offline:.1e}"
    for name, int8 in verification.int8.items():
        yield (
            f"int8 as {name} against fp32: trunk SNR {int8.trunk_snr_db:.1f} dB, log-spectral "
            f"distance {int8.lsd_db:.2f} dB"
        )
    for precision, each in verification.cross_format.items():
        yield (
            f"{precision} as tflite against onnx: largest difference {each.difference:.1e}, "
            f"trunk SNR {each.trunk_snr_db:.0f} dB"
        )
    for format, speed in release.speedup.items():
        yield (
            f"int8 is {speed.median:.2f}x fp32 here as {format} ({speed.low:.2f} to "
            f"{speed.high:.2f})"
        )
