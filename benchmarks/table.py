"""The tables of docs/benchmarks.md, made from the saved results of the other benchmarks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

EXAMPLES = """examples:
  python benchmarks/table.py benchmarks/results/latency.json
      print the table
  python benchmarks/table.py benchmarks/results/*.json --into docs/benchmarks.md
      put the tables between <!-- latency --> and <!-- /latency -->, and so on
"""


def main(argv: list[str] | None = None) -> int:
    """Print the tables or write them into a file; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="table.py",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULT.json")
    parser.add_argument("--into", type=Path, help="Markdown file with markers to write between")
    arguments = parser.parse_args(argv)
    tables: dict[str, list[str]] = {}
    for path in arguments.results:
        result = json.loads(path.read_text())
        kind = str(result.get("benchmark"))
        table = TABLES.get(kind.partition("_")[0])  # voice_flemish has the same format as voice
        if table is None:
            print(f"table: {path}: is not a result of {', '.join(TABLES)}", file=sys.stderr)
            return 2
        tables.setdefault(kind, []).append(table(result))
    if arguments.into is None:
        print("\n".join(table for group in tables.values() for table in group), end="")
        return 0
    text = arguments.into.read_text()
    for kind, group in tables.items():
        try:
            text = between_markers(text, kind, "\n".join(group))
        except ValueError as error:
            print(f"table: {arguments.into}: {error}", file=sys.stderr)
            return 2
    arguments.into.write_text(text)
    return 0


def between_markers(text: str, name: str, table: str) -> str:
    """Return ``text`` with ``table`` between ``<!-- name -->`` and ``<!-- /name -->``."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"has to hold {begin} and then {end} once each")
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    return f"{before}{begin}\n{table}{end}{after}"


def latency_table(result: dict[str, Any]) -> str:
    """Return a latency result as Markdown."""
    modes = [mode for mode in ("tight", "paced") if _has(result, mode)]
    head = ["model", "size", "parameters", "MMAC/s"]
    head += [f"{mode} {figure}" for mode in modes for figure in ("p50", "p99", "RTF")]
    rows = [_row(name, system, modes) for name, system in _systems(result).items()]
    ratios = [
        [
            f"`{entry['fast']}`",
            f"`{entry['slow']}`",
            entry["mode"],
            f"{entry['median']:.2f}x",
            f"{entry['low']:.2f} to {entry['high']:.2f}",
        ]
        for entry in result["ratios"]
    ]
    setup = result["setup"]
    note = (
        f"{_machine(result)}, {setup['threads']} thread, "
        f"{setup['rounds']} interleaved rounds of {setup['steps']} steps after "
        f"{setup['warmup']} to warm up; time inside one step, without audio buffers.\n"
    )
    compared = _markdown(["faster", "slower", "paced", "ratio", "quartiles"], ratios)
    return "\n".join([_markdown(head, rows), compared, note])


def _row(name: str, system: dict[str, Any], modes: list[str]) -> list[str]:
    row = [
        f"`{name}`",
        f"{system['model_bytes'] / 1e6:.2f} MB",
        f"{system['parameters'] / 1e6:.2f} M",
        f"{system['mmacs_per_second']:.0f}",
    ]
    for mode in modes:
        figures = system[mode]
        row += [_figure(figures["p50_ms"], " ms"), _figure(figures["p99_ms"], " ms")]
        row.append(_figure(figures["rtf"]))
    return row


def _figure(value: float | None, unit: str = "") -> str:
    """Format a measured figure; it is missing if there were too few samples."""
    return "too few" if value is None else f"{value:.3f}{unit}"


def footprint_table(result: dict[str, Any]) -> str:
    """Return a footprint result as Markdown."""
    figures = result["figures"]
    rows = [
        [label, f"{figures[key]['median']:.0f} {unit}",
         f"{figures[key]['low']:.0f} to {figures[key]['high']:.0f}"]
        for key, label, unit in (
            ("import_ms", "import", "ms"),
            ("open_ms", "open the bundle", "ms"),
            ("first_step_ms", "first step", "ms"),
            ("total_ms", "all three", "ms"),
            ("rss_mb", "resident memory", "MB"),
        )
    ]  # fmt: skip
    name = f"`{result['bundle']}:{result['precision']}:{result['engine']}`"
    note = f"{_machine(result)}, {result['runs']} new processes, files in the page cache.\n"
    return "\n".join([_markdown([name, "median", "quartiles"], rows), note])


VOICE = {
    "similarity": ("similarity", "{:.3f}"),
    "wer_whisper": ("WER, Whisper tiny.en", "{:.3f}"),
    "word_error_rate": ("WER, PocketSphinx", "{:.3f}"),
    "phone_error_rate": ("PER", "{:.3f}"),
    "dnsmos": ("DNSMOS", "{:.2f}"),
    "distill_mos": ("Distill-MOS", "{:.2f}"),
    "f0_correlation": ("F0 correlation", "{:.2f}"),
    "f0_error": ("F0 error, %", "{:.1f}"),
}
"""Figures of a voice shown on the page: title and format."""


STUDENTS = (
    "similarity",
    "wer_whisper",
    "phone_error_rate",
    "dnsmos",
    "f0_correlation",
    "distill_mos",
)
"""Those shown for students, beside their cost."""


def voice_table(result: dict[str, Any]) -> str:
    """Return a condensed report of `edge-vc evaluate` as Markdown."""
    systems, topline = _systems(result), _topline(result)
    shown = {key: VOICE[key] for key in VOICE if key in topline["overall"]}
    rows = [
        [
            f"`{name}`",
            *(_estimate(system["overall"].get(key), form) for key, (_, form) in shown.items()),
        ]
        for name, system in (*systems.items(), ("topline (target)", topline))
    ]
    speakers = next(iter(systems.values()))["speakers"]
    note = (
        f"{result['sentence_count']} sentences of {len(speakers)} speakers unseen in "
        f"training, {result['seconds'] / 60:.1f} minutes, 95 % bootstrap intervals over "
        f"sentences. Target: {result['target']}. Similarity: cosine of Resemblyzer embeddings to "
        "the centroid of "
        f"{result['centroid_sentences']} sentences of the target; PocketSphinx: with a "
        f"language model of the sentences ({len(result['unknown_words'])} words out of "
        "its vocabulary are not counted); F0: correlation with the source's contour, distance of "
        "the median from the target's.\n"
    )
    return "\n".join([_markdown(["", *(title for title, _ in shown.values())], rows), note])


def _estimate(found: dict[str, Any] | None, form: str) -> str:
    if found is None:
        return "-"
    value, low, high = (form.format(found[key]) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def instructions_table(result: dict[str, Any]) -> str:
    """Return an instruction count as Markdown."""
    figures = result["figures"]
    cores = list(dict.fromkeys(figure["core"] for figure in figures))
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for figure in figures:
        model = f"`{figure['bundle']}:{figure['precision']}`"
        row = rows.setdefault((model, f"{figure['engine']} {figure['engine_version']}"), {})
        row[figure["core"]] = f"{figure['instructions'] / 1e6:.2f} M"
    cells = [[*names, *(row.get(core, "") for core in cores)] for names, row in rows.items()]
    spread = max(max(figure["spread"], figure["engine_spread"]) for figure in figures)
    note = (
        f"Executed instructions per hop ({result['environment']}), one thread, the session's "
        f"Python included; two runs of {' and '.join(map(str, result['setup']['steps']))} hops "
        f"are at most {spread:.2%} apart. Instructions are not time. {result['created'][:10]}: "
        f"`{result['command']}`\n"
    )
    return "\n".join([_markdown(["model", "engine", *cores], cells), note])


def live_table(result: dict[str, Any]) -> str:
    """Return a live result as Markdown: every figure with its goal."""
    goals = result["goals"]
    lines = ["| figure | measured | goal |", "| --- | ---: | ---: |"]
    for name, value in result["figures"].items():
        shown = "not found" if value is None else f"{value:g}"
        goal = f"{goals[name]:g}" if name in goals else ""
        lines.append(f"| {name.replace('_', ' ')} | {shown} | {goal} |")
    where = f"{result['environment']}, {result['when'][:10]}: `python benchmarks/live.py`"
    return f"{result['bundle']} on {result['engine']} ({where})\n\n" + "\n".join(lines) + "\n"


def conditioning_table(result: dict[str, Any]) -> str:
    """Return the effect of each input setting as Markdown; in brackets the change from defaults."""
    names = list(next(iter(result["rows"].values())))
    rows = [
        [f"`{title}`" if "=" in title else title, *(_moved(found[name]) for name in names)]
        for title, found in result["rows"].items()
    ]
    note = (
        f"`{result['bundle']}` on {result['engine']} ({result['environment']}), "
        f"{result['sentences']} sentences of unseen speakers; in brackets the 95 % interval of the "
        "paired difference from the row with defaults.\n"
    )
    return "\n".join([_markdown(["", *names], rows), note])


def _moved(figure: dict[str, Any]) -> str:
    form = "{:.0f}" if figure["value"] >= 20 else "{:.3f}"
    moved = figure.get("moved")
    if not moved or not (moved["low"] or moved["high"]):
        return form.format(figure["value"])
    signed = form.replace(":", ":+")
    between = f"{signed.format(moved['low'])} to {signed.format(moved['high'])}"
    return f"{form.format(figure['value'])} ({between})"


def students_table(result: dict[str, Any]) -> str:
    """Return students' cost and quality as Markdown; rows without an evaluation are left out.

    Below it, the paired differences from the reference row where a row has them.
    """
    found = {name: row for name, row in result["rows"].items() if "figures" in row}
    shown = {key: VOICE[key] for key in STUDENTS}
    rows = [
        [
            f"`{name}`",
            f"{row['latency_ms']:g} ms",
            f"{row['trunk_weights'] / 1e6:.2f} M",
            f"{row['mmacs']:g}",
            *(_estimate(row["figures"].get(key), form) for key, (_, form) in shown.items()),
        ]
        for name, row in found.items()
    ]
    steps = " and ".join(sorted({f"{row['steps']:,}" for row in found.values()}))
    sentences = " and ".join(sorted({str(row["sentences"]) for row in found.values()}))
    head = ["", "latency", "weights", "MMAC/s", *(title for title, _ in shown.values())]
    note = (
        f"{steps} steps from random weights where the row does not say otherwise; {sentences} "
        "sentences of unseen speakers, 95 % bootstrap intervals over sentences: "
        "`benchmarks/students.py`\n"
    )
    return "\n".join([_markdown(head, rows), note, *_differences(found, shown)])


def _differences(found: dict[str, Any], shown: dict[str, tuple[str, str]]) -> list[str]:
    """Return a table of paired differences; intervals without 0 are bold."""
    rows = []
    for name, row in found.items():
        if "differences" in row:
            rows.append([f"`{name}`", *(_difference(row, key, shown[key][1]) for key in shown)])
    if not rows:
        return []
    reference = next(name for name, row in found.items() if "differences" not in row)
    note = (
        f"Difference from `{reference}` on the same sentences with its 95 % interval; bold where "
        "the interval excludes 0. They do not show what another seed would change.\n"
    )
    return [_markdown(["", *(title for title, _ in shown.values())], rows), note]


def _difference(row: dict[str, Any], key: str, form: str) -> str:
    found = row["differences"].get(key)
    if found is None:
        return "-"
    signed = form.replace("{:", "{:+")
    value, low, high = (signed.format(found[part]) for part in ("value", "low", "high"))
    text = f"{value} ({low} to {high})"
    return text if found["low"] <= 0 <= found["high"] else f"**{text}**"


TABLES = {
    "conditioning": conditioning_table,
    "latency": latency_table,
    "live": live_table,
    "footprint": footprint_table,
    "students": students_table,
    "voice": voice_table,
    "instructions": instructions_table,
}


def _has(result: dict[str, Any], mode: str) -> bool:
    return all(mode in system for system in _systems(result).values())


def _systems(result: dict[str, Any]) -> dict[str, Any]:
    """Return the compared systems; results from before 2026-11-28 call them contenders."""
    systems: dict[str, Any] = result.get("systems") or result["contenders"]
    return systems


def _topline(result: dict[str, Any]) -> dict[str, Any]:
    """Return the target's own figures, which those results call the ceiling."""
    topline: dict[str, Any] = result.get("topline") or result["ceiling"]
    return topline


def _machine(result: dict[str, Any]) -> str:
    machine = result["machine"]
    name = machine["model"] or machine["cpu"] or machine["arch"]
    return f"{name}, {machine['cores']} cores ({result['environment']})"


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    rules = ["---", *["---:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rules, *rows))


if __name__ == "__main__":
    raise SystemExit(main())
