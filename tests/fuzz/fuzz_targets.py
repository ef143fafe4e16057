"""Every reader of strangers' files as a function of bytes, with good files to begin from.

A target may raise the project's own errors and the operating system's; anything else is a finding.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
DIGEST = re.compile(rb'"digest": "[0-9a-f]{64}"')


@dataclass(frozen=True)
class FuzzTarget:
    """One reader."""

    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]


def expected(error: BaseException) -> bool:
    """Whether an error is one that the reader's users are told of."""
    return type(error).__module__.startswith("edge_vc") or isinstance(error, OSError)


@functools.cache
def folder() -> Path:
    place = Path(tempfile.mkdtemp(prefix="edge-vc-fuzz-"))
    os.environ.update(
        {f"XDG_{kind}_HOME": str(place / kind.lower()) for kind in ("STATE", "CONFIG")}
    )
    return place


def by_path(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Return a target whose reader takes a file of this name."""

    def target(data: bytes) -> object:
        path = folder() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return read(path)

    return target


def by_folder(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Return a target whose reader takes the folder around a file of this name."""
    levels = len(Path(name).parts) - 1
    return by_path(name, lambda path: read(path.parents[levels - 1] if levels else path.parent))


def manifest(data: bytes) -> None:
    """A manifest whose digest is right, so that what it says is read."""
    from edge_vc_runtime.bundle.manifest import Manifest

    blank = DIGEST.sub(b'"digest": "' + b"0" * 64 + b'"', data, count=1)
    right = hashlib.sha256(blank).hexdigest().encode()
    Manifest.from_json(blank.replace(b"0" * 64, right, 1))


def tflite(data: bytes) -> None:
    from edge_vc_runtime.engines.litert_engine.tflite_graph import TfliteError
    from edge_vc_runtime.engines.litert_engine.tflite_reader import read_graph

    assert issubclass(TfliteError, ValueError)
    read_graph(data)


def onnx(data: bytes) -> None:
    from edge_vc_runtime.engines.onnx_engine.onnx_reader import read_onnx

    read_onnx(data)


def golden(data: bytes) -> None:
    from edge_vc_runtime.bundle.golden_file import read_golden

    read_golden(data)


def bundle(path: Path) -> None:
    from edge_vc_runtime.bundle.reader import read_bundle

    read_bundle(path)


def profile_report(data: bytes) -> None:
    from edge_vc_runtime.profiling.report import Report
    from edge_vc_runtime.profiling.table import plain_report

    lines = plain_report(Report.from_json(data)).splitlines()
    assert all(line.isprintable() for line in lines)


def evaluation(path: Path) -> None:
    from rich.console import Console

    from edge_vc.evaluate.report.reader import looks_like_evaluation, read_evaluation
    from edge_vc.evaluate.report.tables import all_tables

    looks_like_evaluation(path)
    console = Console(file=io.StringIO(), markup=False)
    for table in all_tables(read_evaluation(path)):
        console.print(table)


def recipe(data: bytes) -> None:
    from edge_vc.compress.recipe import Recipe

    Recipe.from_toml(data.decode("utf-8", "replace"), folder())


def teacher_recipe(path: Path) -> None:
    from edge_vc.teachers.reading import spec_from_words

    spec_from_words(str(path))


def board_profile(data: bytes) -> None:
    from edge_vc_boards.profile import read_profile

    read_profile(data.decode("utf-8", "replace"))


def inventory(path: Path) -> None:
    from edge_vc_boards.flash.inventory import read_inventory

    read_inventory(path)


def run_log(path: Path) -> None:
    from edge_vc.evaluate.report.page.run_log import read_run

    read_run(path)


def compress_run(path: Path) -> None:
    from edge_vc_export.compress_run import CompressRun

    CompressRun.read(path)


def label_report(path: Path) -> None:
    from edge_vc.labelling.report import load_report

    load_report(path)


def corpus_table(path: Path) -> None:
    from edge_vc.data.corpus_table import CorpusError, read_table

    for row in read_table(path):
        try:
            row.read()
        except CorpusError:
            continue


def other_table(path: Path) -> None:
    from edge_vc.data.corpus_folder import list_folder
    from edge_vc.data.corpus_table import CorpusError

    with suppress(CorpusError):
        list_folder(path)


def recording(path: Path) -> None:
    from edge_vc.audio.io import AudioError, read_beginning
    from edge_vc_runtime.audio.file_source import reading_notice

    notice = reading_notice(path)
    assert notice is None or notice.isprintable()
    try:
        audio = read_beginning(path, 16_000, 1.0)
    except AudioError:
        return
    assert audio.shape[0] <= 16_000
    assert np.isfinite(audio).all()


def install_state(path: Path) -> None:
    from edge_vc_runtime.install.state import read_state

    read_state(path)


def trust_policy(path: Path) -> None:
    from edge_vc_runtime.trust import machine_policy

    machine_policy(path.parent, {"XDG_CONFIG_HOME": str(path.parent.parent)})


def installed_board(path: Path) -> None:
    from edge_vc_runtime.board_profile import find_board

    find_board(folder(), {"XDG_CONFIG_HOME": str(path.parent.parent)})


def control_request(data: bytes) -> None:
    from edge_vc_runtime.control.requests import _parse

    _parse(data)


def _golden_seed() -> bytes:
    file = io.BytesIO()
    wave = np.zeros(320, np.float32)
    np.savez(file, input=wave, **{"output.fp32": wave})
    return file.getvalue()


def _bundle_seeds(kind: str) -> list[bytes]:
    from runtime_bundles import archive, member, mini_contents

    found, files = mini_contents(formats=("onnx", "tflite"))
    if kind == "manifest":
        return [found.to_json()]
    if kind == "bundle":
        entries = [member(name, data) for name, data in files.items()]
        return [archive(member("manifest.json", found.to_json()), *entries)]
    return [files[f"model.fp32.{kind}"], files[f"model.int8.{kind}"]]


def _wav_seeds() -> list[bytes]:
    from test_runtime_headers import FILES, SEVERAL

    names = ("plain", "extensible 24 in 32", "RF64", "chunks before", "unfinished")
    return [data[:400] for data in (*(FILES[name] for name in names), *SEVERAL.values())]


def _caf_seeds() -> list[bytes]:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.zeros(50, np.int16), 16_000, format="CAF", subtype="PCM_16")
    data = file.getvalue()
    start = data.index(b"data") + 4
    return [data, data[:start] + b"\xff" * 8 + data[start + 8 :]]


def _text(*texts: str) -> Callable[[], list[bytes]]:
    return lambda: [text.encode() for text in texts]


def _files(*patterns: str) -> Callable[[], list[bytes]]:
    return lambda: [path.read_bytes() for each in patterns for path in sorted(ROOT.glob(each))[:3]]


_RUN = {"status": "finished", "reason": "", "recipe": {"target": {"name": "a"}}, "stages": ["a"]}
_LABELS = {
    "version": 2,
    "rows": [],
    "wanted": 0,
    "unmatched": [],
    "teacher": {"hash": "a", "spec": {}},
}
_TABLE = "path,utt_id,speaker,seconds,text\nwav/a.wav,a,s,1.0,hello\n"
_TEACHER = '[teacher]\nkind = "onnx"\npath = "a.onnx"\n'
_INVENTORY = '[hosts.pi]\nto = "pi@host"\ngroups = ["a"]\nport = 22\n'
TARGETS: dict[str, FuzzTarget] = {
    "manifest": FuzzTarget(manifest, lambda: _bundle_seeds("manifest")),
    "bundle": FuzzTarget(by_path("a.evc", bundle), lambda: _bundle_seeds("bundle")),
    "tflite": FuzzTarget(tflite, lambda: _bundle_seeds("tflite")),
    "onnx": FuzzTarget(onnx, lambda: _bundle_seeds("onnx")),
    "golden": FuzzTarget(golden, lambda: [_golden_seed()]),
    "profile report": FuzzTarget(profile_report, _files("tests/fuzz/seeds/profile*.json")),
    "evaluation": FuzzTarget(
        by_path("evaluation.json", evaluation), _files("tests/evaluate/schema2.json")
    ),
    "recipe": FuzzTarget(recipe, _files("edge_vc/recipes/*.toml")),
    "teacher recipe": FuzzTarget(
        by_path("teacher.toml", teacher_recipe), _text(_TEACHER)
    ),
    "board profile": FuzzTarget(board_profile, _files("boards/edge_vc_boards/profiles/*.toml")),
    "inventory": FuzzTarget(by_path("fleet.toml", inventory), _text(_INVENTORY)),
    "Ansible inventory": FuzzTarget(
        by_path("fleet.yml", inventory),
        _text("all:\n  hosts:\n    pi:\n      ansible_host: 10.0.0.1\n      ansible_user: pi\n"),
    ),
    "run log": FuzzTarget(
        by_path("log.jsonl", run_log), _text('{"step": 1, "loss": 0.5}\n{"step": 2, "loss": 1}\n')
    ),
    "compress run": FuzzTarget(
        by_folder("run/run.json", compress_run), _text(json.dumps(_RUN))
    ),
    "label report": FuzzTarget(
        by_folder("labels/report.json", label_report), _text(json.dumps(_LABELS))
    ),
    "corpus table": FuzzTarget(
        by_path("corpus/metadata.csv", corpus_table), _text(_TABLE, _TABLE.replace(",", "|"))
    ),
    "JSON lines": FuzzTarget(
        by_folder("lines/manifest.json", other_table),
        _text('{"audio_filepath": "a.wav", "duration": 1.0, "text": "hello", "offset": 0}\n'),
    ),
    "Kaldi's lists": FuzzTarget(
        by_folder("kaldi/wav.scp", other_table), _text("a wav/a.wav\nb /x/b.wav\n", "a cat b |\n")
    ),
    "WAV file": FuzzTarget(by_path("a.wav", recording), _wav_seeds),
    "CAF file": FuzzTarget(by_path("a.caf", recording), _caf_seeds),
    "install state": FuzzTarget(
        by_path("state.json", install_state), _text('{"order": ["a"], "pending": "", "events": []}')
    ),
    "trust policy": FuzzTarget(
        by_path("edge-vc/trust.json", trust_policy), _text('{"unsigned": "allow"}')
    ),
    "installed board": FuzzTarget(
        by_path("edge-vc/board.json", installed_board),
        _text('{"name": "pi4", "engine": "litert", "threads": 1}'),
    ),
    "control request": FuzzTarget(control_request, _text('{"status": true}', '{"set": {"a": 1}}')),
}  # fmt: skip
"""By name."""
