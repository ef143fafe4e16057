"""Every recording of an evaluation has a file of its own, whatever it is called."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_vc.data.file_name import file_name
from edge_vc.evaluate.audio_folder import AudioFolder
from edge_vc.settings.optional import EvaluationError

ROOT = Path("/evaluations")
NAMES = (
    "a b", "a-b", "a  b", "\u4f60\u597d", "\u518d\u89c1", "Gr\u00f6\u00dfe", "Gr\u00fc\u00dfe",
    "u\u0308ber", "\u00fcber", "n" * 119 + "a", "n" * 119 + "b", "\U0001f3a4", "..", "../..", "",
    "\ud83c", "\udcf6", "/etc/passwd",
)  # fmt: skip


def path(name: str) -> Path:
    return AudioFolder(ROOT).path("clean", "system", "someone", name)


def test_names_that_differ_are_files_that_differ() -> None:
    for first, second in combinations(NAMES, 2):
        assert path(first) != path(second), (first, second)


def test_plain_names_are_kept() -> None:
    said = AudioFolder(ROOT).path("babble 10 dB", "kathleen-nano-int8", "p225", "p225_001")
    assert said == ROOT / "babble-10-dB" / "kathleen-nano-int8" / "p225_p225_001.flac"


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_any_names_stay_inside(condition: str, system: str, name: str) -> None:
    for made in (file_name(name), name):
        found = AudioFolder(ROOT).path(condition, system, made, made)
        assert found.parent.parent.parent == ROOT
        assert all(0 < len(part.encode()) <= 255 for part in found.parts[1:])
        assert not {"..", "."} & {*found.parts}


@pytest.mark.parametrize("names", [NAMES[3:5], NAMES[9:11], NAMES[11:13]])
def test_systems_have_folders_of_their_own(tmp_path: Path, names: tuple[str, str]) -> None:
    AudioFolder(tmp_path / "audio").check(names)
    with pytest.raises(EvaluationError, match="would mix with that of a b; rename"):
        AudioFolder(tmp_path / "audio").check(["a b", "a-b"])
