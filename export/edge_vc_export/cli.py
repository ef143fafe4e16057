"""``edge-vc export``: a compression run's students into a bundle, or a bundle into plain files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edge_vc_export.bundle.facts import BundleFacts
    from edge_vc_export.bundle.graph_set import Selection
    from edge_vc_export.bundle.release import Release

app = typer.Typer(
    help="Write a bundle from a compression run, or take one apart.", add_completion=False
)

KATHLEEN_CONSENT = (
    "Kathleen recorded her voice on purpose for synthetic speech and gave it to the public "
    'domain ("Voice Dataset (Kathleen)", Rhasspy project, CC0 1.0).'
)
_FLOAT_STAGES = ("distill", "prune")
_INT8_STAGES = ("quantize", "calibrate")
_FILE = "student.safetensors"


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
        str, typer.Option(help="Formats to write, of onnx and tflite.")
    ] = "onnx,tflite",
    precision: Annotated[
        str, typer.Option(help="Precisions to write, of fp32, int8 and dynamic-int8.")
    ] = "fp32,int8",
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
    name: Annotated[str, typer.Option(help="Name that the bundle carries.")] = "kathleen-base",
    version: Annotated[str, typer.Option(help="Version that the bundle carries.")] = "0.1.0",
    tier: Annotated[str, typer.Option(help="Tier that the manifest states.")] = "base",
    licence: Annotated[str, typer.Option(help="SPDX licence of the voice model.")] = "CC0-1.0",
    consent: Annotated[
        str, typer.Option(help="How the owner of the voice agreed, for the manifest.")
    ] = KATHLEEN_CONSENT,
) -> None:
    """Export to ONNX and TFLite, prove the files equal, race INT8 against fp32, write the bundle.

    \b
    edge-vc export build/run -o kathleen.evc
    edge-vc export build/run --format tflite --precision int8 -o small.evc
    edge-vc export float.safetensors --quantized int8.safetensors -o kathleen.evc
    edge-vc export old.evc -o new.evc        (writes it anew, with both formats)
    edge-vc export kathleen.evc -o parts/    (takes it apart)
    edge-vc export --requirements pi4 > requirements.txt
    """
    # Heavy imports wait until somebody exports.
    from edge_vc.audio.io import AudioError
    from edge_vc.models.student.file import StudentFileError
    from edge_vc_boards.board import BoardError
    from edge_vc_export.bundle.graph_set import Selection
    from edge_vc_export.formats import FormatError
    from edge_vc_export.parity.pytorch_int8 import ParityError
    from edge_vc_runtime.bundle.manifest import BundleError
    from edge_vc_runtime.engines import EngineError

    try:
        if requirements is not None:
            _list_wheels(requirements, engine, python)
            return
        if source is None:
            raise FormatError("nothing to export: name a run folder, a student or a bundle")
        chosen = Selection(_words(format), _words(precision))
        chosen.check_names()
        if source.suffix == ".evc" and (output is None or output.suffix != ".evc"):
            for file in unpack(source, output or Path(source.stem)):
                typer.echo(f"wrote {file}")
            return
        if source.suffix == ".evc":
            _report(_rewrite(source, output or source, chosen))
            return
        float_file, int8_file = find_students(source, quantized)
        facts = _facts(name, version, licence, consent)
        target = output or Path(f"{name}.evc")
        _report(_release(target, float_file, int8_file, facts, tier, chosen))
    except (
        StudentFileError, ParityError, BundleError, AudioError, BoardError, EngineError, FormatError
    ) as error:  # fmt: skip
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


def _words(text: str) -> tuple[str, ...]:
    """Split ``a,b`` and drop what is said twice."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _facts(name: str, version: str, licence: str, consent: str) -> BundleFacts:
    from edge_vc_export.bundle.facts import BundleFacts
    from edge_vc_export.bundle.licences import licence_text

    return BundleFacts(name, version, licence, consent, licence_text(licence))


def _list_wheels(board: str, engine: str | None, python: str | None) -> None:
    from edge_vc_boards.board import load_board
    from edge_vc_boards.requirements import wheel_set

    for line in wheel_set(load_board(board), engine, python).lines():
        typer.echo(line)


def find_students(source: Path, quantized: Path | None) -> tuple[Path, Path | None]:
    """Return the float and the INT8 student of a run folder, or the files as given.

    Raises `StudentFileError` where there is no float student.
    """
    from edge_vc.models.student.file import StudentFileError

    if not source.is_dir():
        return source, quantized
    floats = [source / stage / _FILE for stage in _FLOAT_STAGES]
    found = next((file for file in floats if file.is_file()), None)
    if found is None:
        raise StudentFileError(
            f"{source}: holds no {' or '.join(f'{stage}/{_FILE}' for stage in _FLOAT_STAGES)}; "
            "give a finished run of `edge-vc compress`, or a student file"
        )
    rounded = [source / stage / _FILE for stage in _INT8_STAGES]
    return found, quantized or next((file for file in rounded if file.is_file()), None)


def unpack(bundle: Path, folder: Path) -> list[Path]:
    """Write a bundle's files, every one checked, into a new folder; return their paths.

    Raises `BundleError` for a bad bundle and where the folder holds anything already.
    """
    from edge_vc_runtime.bundle.manifest import MANIFEST_NAME, BundleError
    from edge_vc_runtime.bundle.reader import read_bundle

    opened = read_bundle(bundle)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BundleError(f"{folder}: is there already and not an empty folder; give another")
    files = {MANIFEST_NAME: opened.manifest.to_json()}
    files |= {name: opened.read(name) for name in opened.manifest.files}
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in files]


def _release(
    output: Path,
    float_file: Path,
    int8_file: Path | None,
    facts: BundleFacts,
    tier: str,
    selection: Selection,
) -> Release:
    from edge_vc.models.student.file import load_student
    from edge_vc.nn.quantized_conv import quantized_convs
    from edge_vc_export.bundle.release import release_bundle

    student = load_student(float_file)
    quantized = None if int8_file is None else load_student(int8_file)
    if quantized is not None and not quantized_convs(quantized.trunk):
        quantized = None  # the run was told not to quantise
    with _notes() as note:
        return release_bundle(
            output, student, quantized, facts, tier=tier, selection=selection, note=note
        )


def _rewrite(source: Path, output: Path, selection: Selection) -> Release:
    from edge_vc_export.bundle.release import rewrite_bundle

    with _notes() as note:
        return rewrite_bundle(source, output, selection, note=note)


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
