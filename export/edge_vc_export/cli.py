"""``edge-vc export``: a compression run's students into a bundle, or a bundle into plain files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edge_vc_export.bundle.release import Release
    from edge_vc_export.job import Overrides

app = typer.Typer(
    help="Write a bundle from a compression run, or take one apart.", add_completion=False
)


@app.command()
def export_command(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN|STUDENT|BUNDLE",
            help="Run folder of `edge-vc compress`, a float student.safetensors, or a bundle.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Bundle to write; a bundle is taken apart into a folder."
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(help="Formats to write, of onnx and tflite; unsaid: the run's, or both."),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Precisions to write, of fp32, int8 and dynamic-int8; unsaid: the run's, or "
            "fp32,int8."
        ),
    ] = None,
    requirements: Annotated[
        str | None,
        typer.Option(
            metavar="BOARD", help="Only list the wheels that a board needs to run bundles."
        ),
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="With --requirements: litert or onnx, not the board's own.")
    ] = None,
    python: Annotated[
        str | None, typer.Option(help="With --requirements: a Python that is not the board's own.")
    ] = None,
    quantized: Annotated[
        Path | None, typer.Option(help="INT8 form of STUDENT, a student.safetensors as well.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name that the bundle carries, instead of the run's.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Version that the bundle carries, instead of the run's.")
    ] = None,
    tier: Annotated[
        str | None, typer.Option(help="Tier that the manifest states, instead of the weights'.")
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(help="SPDX licence of the voice, instead of the run's; STUDENT needs it."),
    ] = None,
    consent: Annotated[
        str | None,
        typer.Option(
            help="How the owner of the voice agreed, instead of the run's; STUDENT needs it."
        ),
    ] = None,
    attribution: Annotated[
        str | None,
        typer.Option(help="Whose recordings the model learnt from, instead of the run's."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Export a run that a limit stopped or that is unfinished; bundle says so.",
        ),
    ] = False,
) -> None:
    """Export to ONNX and TFLite, prove the files equal, race INT8 against fp32, write the bundle.

    \b
    edge-vc export build/run -o kathleen.evc
    edge-vc export build/run --format tflite --precision int8 -o small.evc
    edge-vc export float.safetensors --quantized int8.safetensors -o voice.evc \\
        --licence CC0-1.0 --consent "How the owner of the voice agreed."
    edge-vc export old.evc -o new.evc        (writes it anew, with both formats)
    edge-vc export kathleen.evc -o parts/    (takes it apart)
    edge-vc export --requirements pi4 > requirements.txt
    """
    # Heavy imports wait until somebody exports.
    from edge_vc.audio.io import AudioError
    from edge_vc.models.student.file import StudentFileError
    from edge_vc_boards.board import BoardError
    from edge_vc_export.bundle.unpack import unpack
    from edge_vc_export.errors import ExportError
    from edge_vc_export.job import Overrides
    from edge_vc_runtime.bundle.manifest import BundleError
    from edge_vc_runtime.engines import EngineError

    overrides = Overrides(
        name, version, tier, licence, consent, attribution, _words(format), _words(precision)
    )
    try:
        if requirements is not None:
            _list_wheels(requirements, engine, python)
            return
        if source is None:
            raise ExportError("nothing to export: name a run folder, a student or a bundle")
        if source.suffix == ".evc" and (output is None or output.suffix != ".evc"):
            for file in unpack(source, output or Path(source.stem)):
                typer.echo(f"wrote {file}")
        elif source.suffix == ".evc":
            _report(_rewrite(source, output or source, overrides))
        else:
            _report(_export(source, quantized, output, overrides, force))
    except (
        StudentFileError, BundleError, AudioError, BoardError, EngineError, ExportError
    ) as error:  # fmt: skip
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


def _words(text: str | None) -> tuple[str, ...] | None:
    """Split ``a,b`` and drop what is said twice; nothing said stays None."""
    if text is None:
        return None
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _list_wheels(board: str, engine: str | None, python: str | None) -> None:
    from edge_vc_boards.board import load_board
    from edge_vc_boards.requirements import wheel_set

    for line in wheel_set(load_board(board), engine, python).lines():
        typer.echo(line)


def _export(
    source: Path, quantized: Path | None, output: Path | None, overrides: Overrides, force: bool
) -> Release:
    """Export a run folder or a student's file."""
    from edge_vc_export.compress_run import CompressRun
    from edge_vc_export.job import job_of_run, job_of_student

    if source.is_dir():
        run = CompressRun.read(source)
        job = job_of_run(run, overrides, force=force, quantized=quantized)
    else:
        stem = output.stem if output else ""
        job = job_of_student(source, overrides, quantized=quantized, name=stem)
    with _notes() as note:
        return job.run(output or Path(f"{job.facts.name}.evc"), note)


def _rewrite(source: Path, output: Path, overrides: Overrides) -> Release:
    """Write a bundle anew; it keeps its own facts."""
    from edge_vc_export.bundle.graph_set import Selection
    from edge_vc_export.bundle.release import rewrite_bundle
    from edge_vc_export.errors import ExportError

    if given := overrides.given_facts():
        raise ExportError(f"--{given[0]}: {source} keeps its own facts; export its run instead")
    with _notes() as note:
        return rewrite_bundle(source, output, overrides.selection(Selection()), note=note)


@contextmanager
def _notes() -> Iterator[Callable[[str], None]]:
    """Show what an export is doing, and keep on screen what it decided."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("exporting") as status:

        def note(line: str) -> None:
            status.update(line)
            if "keeps fp32" in line:
                console.print(line)

        yield note


def _report(release: Release) -> None:
    proof = release.proof
    typer.echo(f"wrote {release.path} ({release.path.stat().st_size / 1e6:.2f} MB)")
    nodes = ", ".join(f"{count} in {name}" for name, count in release.nodes.items())
    typer.echo(f"nodes: {nodes}; default {release.default}")
    for format, fp32 in proof.fp32.items():
        typer.echo(f"fp32 as {format} against PyTorch: {fp32.offline:.1e} at most")
    for name, int8 in proof.int8.items():
        typer.echo(
            f"int8 as {name} against fp32: trunk SNR {int8.trunk_snr_db:.1f} dB, log-spectral "
            f"distance {int8.spectral_distance_db:.2f} dB"
        )
    for precision, each in proof.agreement.items():
        typer.echo(
            f"{precision} as tflite against onnx: {each.difference:.1e} at most, "
            f"trunk {each.trunk_snr_db:.0f} dB"
        )
    for format, speed in release.speedup.items():
        typer.echo(
            f"int8 is {speed.median:.2f}x fp32 here as {format} ({speed.low:.2f} to "
            f"{speed.high:.2f})"
        )
