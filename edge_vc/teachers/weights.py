"""Opens weights of our own teachers, whichever of both networks they are of."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError

from edge_vc.assets import DEFAULT_WEIGHTS as DEFAULT_WEIGHTS
from edge_vc.models.content.encoder import ContentError
from edge_vc.models.content.registry import CONTENTS
from edge_vc.models.voice.file import is_voice, voice_contents
from edge_vc.teachers.default import DefaultTeacher
from edge_vc.teachers.voice import VoiceTeacher

OwnTeacher = DefaultTeacher | VoiceTeacher


def open_weights(path: str | Path = DEFAULT_WEIGHTS, contents: str = "") -> OwnTeacher:
    """Load safetensors weights of a teacher or of a voice, by default the shipped ones.

    ``contents`` names another encoder than the weights do. Raises what `DefaultTeacher.load` and
    `VoiceTeacher.load` do.
    """
    if is_voice(path):
        return VoiceTeacher.load(path, contents)
    if contents:
        raise ContentError(
            f'contents = "{contents}": these weights learnt contents of their own; leave it out'
        )
    return DefaultTeacher.load(path)


def content_files(path: Path, contents: str = "") -> list[Path]:
    """Return the files, besides the weights in ``path``, that what it says depends on.

    Those of encoders from packages are not among them: they are pinned by hash. None for a file
    that is no voice's: whoever opens it says so.
    """
    try:
        name = contents or voice_contents(path)
    except (OSError, SafetensorError, LookupError, ValueError):
        return []
    return list(CONTENTS[name].files) if name in CONTENTS else []
