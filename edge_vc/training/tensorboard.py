"""TensorBoard output of a training run: figures, audio samples and spectrograms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from edge_vc.audio.io import read_audio
from edge_vc.data.pair_set import SAMPLE_RATE


class TensorBoardError(ValueError):
    """TensorBoard is not installed; the message is one line with the fix."""


class TrainingBoard(Protocol):
    """A display for a training run, in addition to its run folder."""

    def figures(self, step: int, figures: Mapping[str, float]) -> None:
        """Show the figures of a step."""
        ...

    def sample(self, step: int, audio: Path) -> None:
        """Show a WAV file and the image of the same name next to it."""
        ...


class NoBoard:
    """A board that shows nothing."""

    def figures(self, step: int, figures: Mapping[str, float]) -> None:
        """Do nothing."""

    def sample(self, step: int, audio: Path) -> None:
        """Do nothing."""


class TensorBoardFolder:
    """Event files under a folder, for ``tensorboard --logdir``."""

    def __init__(self, folder: Path) -> None:
        """Raise `TensorBoardError` where TensorBoard is missing."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise TensorBoardError(
                "--tensorboard needs TensorBoard: pip install 'edge-vc[tensorboard]'"
            ) from error
        self._writer: Any = SummaryWriter(str(folder))

    def figures(self, step: int, figures: Mapping[str, float]) -> None:
        """Write every figure as a scalar."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def sample(self, step: int, audio: Path) -> None:
        """Write the audio, and the image if there is one."""
        self._writer.add_audio("sample", read_audio(audio, SAMPLE_RATE), step, SAMPLE_RATE)
        picture = audio.with_suffix(".png")
        if picture.is_file():
            from matplotlib.image import imread

            pixels = imread(picture)
            self._writer.add_image("spectrogram", pixels, step, dataformats="HWC")
        self._writer.flush()


def open_board(folder: Path | None) -> TrainingBoard:
    """Return a board that writes to ``folder``, or one that shows nothing if it is None."""
    return NoBoard() if folder is None else TensorBoardFolder(folder)
