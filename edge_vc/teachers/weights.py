"""Opens weights of our own teachers, whichever of both networks they are of."""

from __future__ import annotations

from pathlib import Path

from edge_vc.models.voice.file import is_voice
from edge_vc.teachers.default import DEFAULT_WEIGHTS, DefaultTeacher
from edge_vc.teachers.voice import VoiceTeacher

OwnTeacher = DefaultTeacher | VoiceTeacher


def open_weights(path: str | Path = DEFAULT_WEIGHTS) -> OwnTeacher:
    """Load safetensors weights of a teacher or of a voice, by default the shipped ones.

    Raises what `DefaultTeacher.load` and `VoiceTeacher.load` do.
    """
    return VoiceTeacher.load(path) if is_voice(path) else DefaultTeacher.load(path)
