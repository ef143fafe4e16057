"""Held-out recordings of a voice: validation losses, and samples to listen to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edge_vc.audio.io import Samples, write_audio
from edge_vc.data.pair_set import HOP, SAMPLE_RATE
from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.training.losses import SpectralLoss
from edge_vc.training.voice.speech import SpokenRecording, VoiceSpeech
from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.profiling.figure_png import figure_png

NATURAL, PERTURBED = 0, 1
"""Indices of the clean views of a recording."""
SPOKEN = 3
"""Recordings in a sample."""
_PAUSE = SAMPLE_RATE // 2


class VoiceValidation:
    """Held-out recordings, converted from their natural and their voice-perturbed views."""

    def __init__(self, speech: VoiceSpeech) -> None:
        self.speech, self.recordings = speech, speech.held_out
        self._loss = SpectralLoss()

    @torch.no_grad()
    def losses(self, network: VoiceNetwork) -> dict[str, float]:
        """Return the mean spectral distances of both views; empty if nothing is held out."""
        if not self.recordings:
            return {}
        found: dict[str, list[float]] = {"natural": [], "validation": []}
        for recording in self.recordings:
            truth = torch.from_numpy(recording.pair.target[: recording.frames * HOP] / 32767.0)
            for name, view in (("natural", NATURAL), ("validation", PERTURBED)):
                audio = self.speak(network, recording, view)
                found[name].append(float(self._loss(audio, truth[None].float())))
        return {name: float(np.mean(values)) for name, values in found.items()}

    @torch.no_grad()
    def sample(self, network: VoiceNetwork, folder: Path, step: int) -> Path | None:
        """Convert voice-perturbed recordings to a WAV file and its spectrogram.

        The image also shows the recordings themselves, for comparison. Returns the WAV file, or
        None if no recording is held out.
        """
        converted, truth = [], []
        pause = np.zeros(_PAUSE, np.float32)
        for recording in self.recordings[:SPOKEN]:
            audio = self.speak(network, recording, PERTURBED)[0].numpy()
            converted += [audio, pause]
            target = recording.pair.target[: recording.frames * HOP] / np.float32(32767)
            truth += [target.astype(np.float32), pause]
        if not converted:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        whole = np.concatenate(converted)
        path = write_audio(folder / f"step-{step:07d}.wav", whole, SAMPLE_RATE)
        draw_spectrogram(whole, path.with_suffix(".png"), np.concatenate(truth))
        return path

    def speak(self, network: VoiceNetwork, recording: SpokenRecording, view: int) -> Tensor:
        """Return a view of a recording converted by ``network``, ``[1, F * HOP]``."""
        frames = recording.frames
        share = network.config.retrieval
        device = next(network.parameters()).device
        contents = self.speech.contents(recording, view, slice(None), share)
        noise = torch.randn(1, frames * HOP, generator=torch.Generator().manual_seed(0))
        inputs = (
            torch.from_numpy(contents)[None],
            torch.from_numpy(recording.pair.f0[:frames])[None],
            torch.tensor([recording.mean_log_f0], dtype=torch.float32),
            torch.from_numpy(recording.features.loudness[view])[None],
            noise,
        )
        spoken: Tensor = network(*(value.to(device) for value in inputs)).cpu()
        return spoken


def draw_spectrogram(audio: Samples, path: Path, truth: Samples | None = None) -> None:
    """Write a spectrogram of ``audio`` at `SAMPLE_RATE` as an image, atomically.

    ``truth`` is the reference; it is drawn below.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn_ones = [("converted", audio)] + ([("recorded", truth)] if truth is not None else [])
    figure = Figure(figsize=(12, 4 * len(drawn_ones)), layout="tight")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(drawn_ones), squeeze=False)[:, 0]
    for axes, (title, samples) in zip(panels, drawn_ones, strict=True):
        quiet = 1e-5 * np.random.default_rng(0).standard_normal(len(samples))
        axes.specgram(samples + quiet, NFFT=512, Fs=SAMPLE_RATE, noverlap=352, vmin=-120, vmax=-20)
        axes.set(xlabel="seconds", ylabel="Hz", title=title)
    write_whole(path, figure_png(figure))
