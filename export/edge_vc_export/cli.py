"""``edge-vc export``: a compression run's students into a bundle, or a bundle into plain files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edge_vc_export.bundle import BundleFacts
    from edge_vc_export.release import Release

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
        Path,
        typer.Argument(
            metavar="RUN|STUDENT|BUNDLE",
            help="Run folder of `edge-vc compress`, a float student.safetensors, or a bundle.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Bundle to write; for a bundle, folder to fill."),
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
    """Export to ONNX, prove the graphs equal, race INT8 against fp32, write the bundle.

    \b
    edge-vc export build/run -o kathleen.evc
    edge-vc export float.safetensors --quantized int8.safetensors -o kathleen.evc
    edge-vc export kathleen.evc -o parts/    (takes it apart)
    """
    # Heavy imports wait until somebody exports.
    from edge_vc.audio.io import AudioError
    from edge_vc.compress.student_file import StudentFileError
    from edge_vc_export.bundle import BundleFacts
    from edge_vc_export.licences import licence_text
    from edge_vc_export.parity import ParityError
    from edge_vc_runtime.manifest import BundleError

    try:
        if source.suffix == ".evc":
            for file in unpack(source, output or Path(source.stem)):
                typer.echo(f"wrote {file}")
            return
        float_file, int8_file = find_students(source, quantized)
        facts = BundleFacts(name, version, licence, consent, licence_text(licence))
        release = _release(output or Path(f"{name}.evc"), float_file, int8_file, facts, tier)
    except (StudentFileError, ParityError, BundleError, AudioError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    _report(release)


def find_students(source: Path, quantized: Path | None) -> tuple[Path, Path | None]:
    """Return the float and the INT8 student of a run folder, or the files as given.

    Raises `StudentFileError` where there is no float student.
    """
    from edge_vc.compress.student_file import StudentFileError

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
    from edge_vc_runtime.bundle import read_bundle
    from edge_vc_runtime.manifest import MANIFEST_NAME, BundleError

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
    output: Path, float_file: Path, int8_file: Path | None, facts: BundleFacts, tier: str
) -> Release:
    from rich.console import Console

    from edge_vc.compress.quantize import quantized_convs
    from edge_vc.compress.student_file import load_student
    from edge_vc_export.release import release_bundle

    student = load_student(float_file)
    quantized = None if int8_file is None else load_student(int8_file)
    if quantized is not None and not quantized_convs(quantized.trunk):
        quantized = None  # the run was told not to quantise
    console = Console(stderr=True)
    with console.status("exporting") as status:

        def note(line: str) -> None:
            status.update(line)
            if "keeps fp32" in line:
                console.print(line)

        return release_bundle(output, student, quantized, facts, tier=tier, note=note)


def _report(release: Release) -> None:
    nodes = ", ".join(f"{count} {precision}" for precision, count in release.nodes.items())
    typer.echo(f"wrote {release.path} ({release.path.stat().st_size / 1e6:.2f} MB)")
    typer.echo(f"nodes: {nodes}; default {release.default}")
    typer.echo(f"fp32 against PyTorch: {release.fp32.offline:.1e} at most")
    if release.int8 is not None:
        typer.echo(
            f"int8 against fp32: trunk SNR {release.int8.trunk_snr_db:.1f} dB, log-spectral "
            f"distance {release.int8.spectral_distance_db:.2f} dB"
        )
    if release.speedup is not None:
        low, high = release.speedup.low, release.speedup.high
        typer.echo(f"int8 is {release.speedup.median:.2f}x fp32 here ({low:.2f} to {high:.2f})")
