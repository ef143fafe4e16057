"""A teacher that does something else to every recording, told by its length."""

from __future__ import annotations

from pathlib import Path

from edge_vc.teachers.module import ModuleSpec

MOODS = (
    "good", "short", "nan", "silent", "dies", "hangs", "raises", "clips", "loses", "other",
    "rate", "good too",
)  # fmt: skip
"""What the teacher does to the recording of ``2 + index / 10`` seconds."""

CODE = """
import os
import time

import torch
from torch import nn

MOODS = {moods}


class Moody(nn.Module):
    def forward(self, audio):
        samples = audio.shape[-1]
        mood = MOODS[round((samples - 32000) / 1600)]
        with open({log!r}, "a") as log:
            log.write(mood + "\\n")
        if mood == "dies":
            os._exit(7)
        if mood == "hangs":
            time.sleep(600)
        if mood == "raises":
            raise RuntimeError("out of patience\\nand of memory")
        return OUTPUTS.get(mood, lambda a: 0.5 * a)(audio)


OUTPUTS = {{
    "short": lambda a: a[:, :-1600],
    "nan": lambda a: a / 0,
    "silent": lambda a: a * 1e-6,
    "clips": lambda a: (a * 1000).clamp(-1, 1),
    "loses": lambda a: a * (torch.arange(a.shape[-1]) < a.shape[-1] // 2),
    "other": lambda a: torch.roll(a.flip(-1), 9000, -1),
    "rate": lambda a: a.repeat_interleave(3, -1),
}}
"""


def moody(folder: Path) -> ModuleSpec:
    """Such a teacher; what it was asked is written to ``folder/log``, a line each."""
    path = folder / "moody.py"
    path.write_text(CODE.format(moods=MOODS, log=str(folder / "log")))
    return ModuleSpec(factory=f"{path}:Moody")


LATE = '''
import os
import time

import torch
from torch import nn


class Late(nn.Module):
    """Halves, answers {late} samples late, and takes its time."""

    def forward(self, audio):
        time.sleep({seconds})
        with open({log!r}, "a") as log:
            log.write(f"{{os.getpid()}} {{audio.shape[-1]}}\\n")
        return 0.5 * nn.functional.pad(audio, ({late}, 0))[:, : audio.shape[-1]]
'''


def late(folder: Path, samples: int = 0, seconds: float = 0.0) -> ModuleSpec:
    """A teacher that is late, by ``samples``, and slow, by ``seconds``."""
    path = folder / "late.py"
    path.write_text(LATE.format(late=samples, seconds=seconds, log=str(folder / "log")))
    return ModuleSpec(factory=f"{path}:Late")
