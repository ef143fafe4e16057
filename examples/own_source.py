"""A source of your own: ``tone:HZ`` is half a second of a sine."""

from collections.abc import Iterator

import numpy as np

from edge_vc.assets import ASSETS
from edge_vc_runtime.audio.source import SourceKind
from edge_vc_runtime.audio.sources import register_source
from edge_vc_runtime.cli import main


class Tone:
    """Mono audio in blocks, at the requested rate."""

    channels, notice = 1, "a tone, not speech"

    def __init__(self, argument: str, sample_rate: int) -> None:
        self.name, self.sample_rate, self.frames = argument, sample_rate, sample_rate // 2
        self._hz = float(argument.removeprefix("tone:"))

    def blocks(self) -> Iterator[np.ndarray]:
        time = np.arange(self.frames) / self.sample_rate
        yield (0.3 * np.sin(2 * np.pi * self._hz * time)).astype(np.float32)

    def close(self) -> None:
        """Do nothing: nothing is open."""


register_source(
    SourceKind("tone", "tone:HZ", lambda text: text.startswith("tone:"), Tone, states_rate=False)
)

if __name__ == "__main__":
    bundle = str(ASSETS / "kathleen-nano.evc")
    raise SystemExit(main(["run", bundle, "tone:220", "tone.wav", "--input-rate", "16000"]))
