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

    ``contents`` overrides the encoder that the weights name. Raises what `VoiceTeacher.load` does.
    """
    return VoiceTeacher.load(path, contents)


def content_files(path: Path, contents: str = "") -> list[Path]:
    """Return the files, besides the weights in ``path``, on which its output depends.

    Encoders from packages are not included: they are pinned by hash. Empty for a file that is not
    a voice: opening it reports that.
    """
    try:
        name = contents or voice_contents(path)
    except (OSError, SafetensorError, LookupError, ValueError):
        return []
    return list(CONTENTS[name].files) if name in CONTENTS else []
