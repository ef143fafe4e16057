"""Opens weights of our own teacher."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError

from edge_vc.assets import DEFAULT_WEIGHTS as DEFAULT_WEIGHTS
from edge_vc.models.content.registry import CONTENTS
from edge_vc.models.voice.file import voice_contents
from edge_vc.teachers.voice import VoiceTeacher


def open_weights(path: str | Path = DEFAULT_WEIGHTS, contents: str = "") -> VoiceTeacher:
    """Load safetensors weights of a voice, by default the shipped ones.

    ``contents`` names another encoder than the weights do. Raises what `VoiceTeacher.load` does.
    """
    return VoiceTeacher.load(path, contents)


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
