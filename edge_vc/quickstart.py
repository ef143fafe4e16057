"""The whole pipeline in a few minutes: `edge-vc quickstart`, or `make quickstart`.

Prunes, distils, quantises and exports the shipped student with the shipped teacher on synthetic
speech, converts a real recording with the bundle and measures it.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bars
from rich.table import Table

from edge_vc.command_line.errors import CheckError
from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import ResumableVerb, notes, verb_app
from edge_vc_runtime.files.output_kinds import FOLDER
from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.message import printable

if TYPE_CHECKING:
    from edge_vc.audio.io import Samples
    from edge_vc.compress.recipe import Recipe
    from edge_vc_runtime.profiling.report import Report

RECIPE = "quick"


@dataclass(frozen=True)
class Measured:
    """The figures in the final table."""

    int8: Report
    fp32: Report
    speedup: dict[str, float]
    """Speed of INT8 relative to fp32, run alternately, back to back."""
    trunk_snr_db: float
    spectral_distance_db: float
    similarity_before: float
    similarity_after: float


HELP = """Compress, convert, measure: the whole pipeline in a few minutes.

Synthesises a few minutes of speech, has the shipped teacher convert it, compresses a student,
exports an INT8 bundle, converts a real recording and profiles the bundle. Everything is left in
the output folder; finished stages are kept when the command is run again.
"""
NOTES = notes(
    """
edge-vc quickstart
edge-vc quickstart --corpus recordings/ --out build/mine
""",
    "0 done, 1 a result is beyond the recipe's limits, 2 bad input, 130 Ctrl-C",
)

app = verb_app()


@app.command("quickstart", cls=ResumableVerb, help=HELP, epilog=NOTES)
def quickstart(
    corpus: Annotated[str, typer.Option(help="Folder of recordings to train on.")] = "",
    out: Annotated[Path, output_option(FOLDER, help="Output folder.")] = Path("build/quickstart"),
    recipe: Annotated[str, typer.Option(help="A shipped recipe or a TOML file.")] = RECIPE,
    seconds: Annotated[float, typer.Option(help="Seconds of audio to measure per mode.")] = 5.0,
) -> None:
    """See `HELP`."""
    from edge_vc.compress import LimitError

    try:
        _run(Console(), recipe, corpus, out, seconds)
    except LimitError as error:
        raise CheckError(f"{error}; the numbers are in {out / 'run' / 'run.json'}") from error


def _run(console: Console, name: str, corpus: str, out: Path, seconds: float) -> None:
    from edge_vc.compress import load_recipe

    started = time.monotonic()
    recipe = load_recipe(name)
    if corpus:
        recipe = replace(recipe, data=replace(recipe.data, corpus=corpus))
    out.mkdir(parents=True, exist_ok=True)
    console.rule("compress")
    bundle, metrics = _compress(console, recipe, out)
    console.rule("convert")
    before, after = _convert(console, bundle, out)
    console.rule("profile")
    measured = _measure(console, bundle, seconds, metrics, before, after)
    console.print(results_table(bundle, measured))
    console.print(f"Done in {time.monotonic() - started:.0f} s. What to try next:")
    for line in (
        f"  edge-vc run {bundle} your-voice.wav converted.wav",
        f"  edge-vc profile {bundle} --png hops.png",
    ):
        console.print(printable(line), markup=False, highlight=False)


def _compress(console: Console, recipe: Recipe, out: Path) -> tuple[Path, dict[str, float]]:
    from edge_vc.compress.console import StageDisplay
    from edge_vc.compress.run import compress

    with StageDisplay(console) as display:
        result = compress(recipe, out / "run", progress=display.progress, report=display.report)
    made = result.artifact("export") / f"{recipe.export.name}.evc"
    bundle = out / made.name
    write_whole(bundle, made.read_bytes())
    return bundle, result.metrics["export"]


def _convert(console: Console, bundle: Path, out: Path) -> tuple[Samples, Samples]:
    """Stream a real sentence through the bundle; return it before and after conversion."""
    import pysptk

    from edge_vc.audio.io import read_audio
    from edge_vc.evaluate.report.spectrogram import plot_spectrograms
    from edge_vc_runtime.audio.file_sink import FileSink
    from edge_vc_runtime.audio.file_source import FileSource
    from edge_vc_runtime.live.offline import convert_stream
    from edge_vc_runtime.session import Session

    recording = Path(pysptk.util.example_audio_file())
    session = Session.open(bundle)
    output = out / "arctic-converted.wav"
    with closing(FileSource(recording)) as source:
        done = convert_stream(session, source, FileSink(output, session.sample_rate))
    rate = session.sample_rate
    before, after = read_audio(recording, rate), read_audio(output, rate)
    write_whole(out / "arctic-original.wav", recording.read_bytes())
    picture = plot_spectrograms(
        {"recording": before, "converted": after}, rate, out / "arctic.png", "a real sentence"
    )
    hop_ms = 1000 * session.hop / rate
    line = f"{done.seconds:.1f} s of a CMU ARCTIC sentence, {hop_ms:g} ms a step: "
    places = printable(f"{output}, {picture}")
    console.print(line + places, markup=False, highlight=False, soft_wrap=True)
    return before, after


def _measure(
    console: Console,
    bundle: Path,
    seconds: float,
    metrics: dict[str, float],
    before: Samples,
    after: Samples,
) -> Measured:
    from edge_vc.audio.speaker_encoder import SpeakerEncoder, similarity
    from edge_vc.evaluate.metrics.target_voice import RATE, load_centroid
    from edge_vc_export.parity.speed import compare_precisions
    from edge_vc_runtime.profiling.profiler import ProfileOptions, profile

    reports = {}
    with Bars(console=console, transient=True) as bars:
        task = bars.add_task("measuring", total=4 * seconds)
        for index, precision in enumerate(("int8", "fp32")):

            def tell(mode: str, done: float, total: float, index: int = index) -> None:
                earlier = 2 * index + (mode == "paced")
                bars.update(task, completed=earlier * total + done, description=f"{mode} timing")

            options = ProfileOptions(precision=precision, seconds=seconds, ops=False)
            reports[precision] = profile(bundle, options, tell)
        bars.update(task, description="comparing voices")
        encoder, target = SpeakerEncoder(), load_centroid()
        close = [similarity(encoder.embed(audio, RATE), target) for audio in (before, after)]
    return Measured(
        reports["int8"],
        reports["fp32"],
        {name: speed.median for name, speed in compare_precisions(bundle, before).items()},
        metrics.get("int8_trunk_snr_db", metrics.get("trunk_snr_db", float("nan"))),
        metrics.get("int8_lsd_db", metrics.get("lsd_db", float("nan"))),
        close[0],
        close[1],
    )


def results_table(bundle: Path, measured: Measured) -> Table:
    """Return the main figures of the bundle, INT8 next to fp32."""
    reports = (measured.int8, measured.fp32)
    table = Table(title=f"{bundle} on this machine ({measured.int8.environment})")
    for column in ("", "INT8", "fp32"):
        table.add_column(column, justify="right" if column else "left")

    def row(name: str, form: str, *values: float | None) -> None:
        table.add_row(name, *("unknown" if v is None else form.format(v) for v in values))

    row("model, kB", "{:,.0f}", *(r.subject.model_bytes / 1e3 for r in reports))
    row("parameters", "{:,}", *(r.subject.parameters for r in reports))
    row("MMAC/s", "{:.1f}", *(r.subject.macs_per_second / 1e6 for r in reports))
    row("algorithmic latency, ms", "{:g}", *(r.latency.algorithmic_ms for r in reports))
    for mode in ("tight", "paced"):
        times = [getattr(r, mode) for r in reports]
        row(f"compute latency p50, ms, {mode}", "{:.3f}", *(t.p50_ms for t in times))
        row(f"compute latency p99, ms, {mode}", "{:.3f}", *(t.p99_ms for t in times))
        row(f"real-time factor, {mode}", "{:.4f}", *(t.rtf for t in times))
    starts = [r.cold_start.total_ms if r.cold_start else None for r in reports]
    row("import, open, first step, ms", "{:.0f}", *starts)
    row("resident memory, MB", "{:.0f}", *(r.memory.rss_mb if r.memory else None for r in reports))
    table.add_section()
    for format, speedup in measured.speedup.items():
        row(f"INT8 against fp32: speed, tight, {format}", "{:.2f}x", speedup)
    row("INT8 against fp32: trunk SNR, dB", "{:.1f}", measured.trunk_snr_db)
    row("INT8 against fp32: log-spectral distance, dB", "{:.2f}", measured.spectral_distance_db)
    row("similarity to the target, recording", "{:.3f}", measured.similarity_before)
    row("similarity to the target, converted", "{:.3f}", measured.similarity_after)
    return table
