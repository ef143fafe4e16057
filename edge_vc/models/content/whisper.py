"""The encoder of Whisper (Radford et al. 2022) in torch, with weights from a CTranslate2 file.

Contents are the output of a block in the middle: the last ones are closer to text, the first ones
still depend on the speaker. Audio is not padded to 30 s, so that short recordings are cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import librosa
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edge_vc.models.content.encoder import ContentError, padded

SPEC = "WhisperSpec"
RATE = 16_000
MEL_WINDOW, MEL_HOP, MEL_BANDS = 400, 160, 80
FRAME = 2 * MEL_HOP
"""Samples per content frame: the second convolution takes every other mel frame."""
LONGEST = 1500
"""Frames that the encoder has positions for: 30 s."""
CONTEXT = 100
"""Context frames on either side of the frames kept from each window, beyond 30 s of audio."""
BLOCK = 5
"""Block whose output is used: the best mean of phone accuracy and of a short training run."""


class WhisperBlock(nn.Module):
    """Self-attention and a feed-forward layer, each after a norm and with a residual."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.expand, self.contract = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, F, C]`` to the same shape."""
        batch, frames, width = x.shape
        packed = self.query_key_value(self.attention_norm(x))
        query, key, value = packed.view(batch, frames, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(query, key, value)
        x = x + self.project(seen.transpose(1, 2).reshape(batch, frames, width))
        total: Tensor = x + self.contract(nn.functional.gelu(self.expand(self.norm(x))))
        return total


class WhisperMel(nn.Module):
    """Whisper's input features, from audio at 16 kHz."""

    bank: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        bank = librosa.filters.mel(sr=RATE, n_fft=MEL_WINDOW, n_mels=MEL_BANDS)
        self.register_buffer("bank", torch.from_numpy(bank), persistent=False)
        self.register_buffer("window", torch.hann_window(MEL_WINDOW), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """Return scaled log-mel powers ``[B, 80, T / 160]`` of ``audio`` ``[B, T]``."""
        filled = nn.functional.pad(audio, (0, max(0, MEL_WINDOW - audio.shape[1])))
        spectrum = torch.stft(filled, MEL_WINDOW, MEL_HOP, window=self.window, return_complex=True)[
            ..., : audio.shape[1] // MEL_HOP
        ]
        log = (self.bank @ spectrum.abs().square()).clamp_min(1e-10).log10()
        log = torch.maximum(log, log.amax((1, 2), keepdim=True) - 8)
        scaled: Tensor = (log + 4) / 4
        return scaled


class WhisperEncoder(nn.Module):
    """Content frames at 50 Hz from one block of Whisper's encoder."""

    name = "whisper"
    frame_rate = RATE // FRAME
    sample_rate = RATE
    positions: Tensor

    def __init__(self, tensors: Mapping[str, NDArray[Any]], block: int = BLOCK) -> None:
        """Build the encoder from the ``encoder/`` variables of a model file.

        Raises `ContentError` if one is missing or has another size.
        """
        super().__init__()
        first = _tensor(tensors, "conv1/weight")
        self.width, self.block = int(first.shape[0]), block
        heads = int(_tensor(tensors, "num_heads"))
        inner = int(_tensor(tensors, "layer_0/ffn/linear_0/weight").shape[0])
        count = len({name for name in tensors if name.endswith("/ffn/linear_0/weight")})
        if not 1 <= block <= count:
            raise ContentError(f"block = {block}: this Whisper has blocks 1 to {count}")
        self.conv1 = nn.Conv1d(MEL_BANDS, self.width, 3, padding=1)
        self.conv2 = nn.Conv1d(self.width, self.width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(WhisperBlock(self.width, heads, inner) for _ in range(count))
        self.norm = nn.LayerNorm(self.width)
        positions = torch.zeros(LONGEST, self.width)
        self.register_buffer("positions", positions)
        self.log_mel = WhisperMel()
        self._load(tensors, count)
        self.eval().requires_grad_(False)

    def _load(self, tensors: Mapping[str, NDArray[Any]], count: int) -> None:
        names = _names(count)
        state = {mine: _tensor(tensors, theirs) for mine, theirs in names.items()}
        try:
            self.load_state_dict(state)
        except RuntimeError as error:
            raise ContentError(f"model file: {str(error).splitlines()[-1].strip()}") from error

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Tensor:
        """Return contents ``[F, width]`` of mono ``audio`` ``[T]`` at 16 kHz, frames of 20 ms."""
        audio = padded(audio.float(), FRAME)
        frames, inner = len(audio) // FRAME, LONGEST - 2 * CONTEXT
        if frames <= LONGEST:
            return self.hidden(self.log_mel(audio[None]), self.block)[0]
        parts = []
        for start in range(0, frames, inner):
            low, high = max(0, start - CONTEXT), min(frames, start + inner + CONTEXT)
            mel = self.log_mel(audio[None, low * FRAME : high * FRAME])
            parts.append(self.hidden(mel, self.block)[0, start - low : start - low + inner])
        return torch.cat(parts)

    def hidden(self, mel: Tensor, block: int | None = None) -> Tensor:
        """Return ``[B, F, width]`` after ``block``; by default after all blocks and the norm."""
        x = nn.functional.gelu(self.conv2(nn.functional.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.positions[: x.shape[1]]
        for layer in self.blocks[:block]:
            x = layer(x)
        final: Tensor = x if block else self.norm(x)
        return final


def _names(count: int) -> dict[str, str]:
    """Return the file's name for each of our parameters, without ``encoder/``."""
    plain = {"conv1": "conv1", "conv2": "conv2"}
    norms = {"norm": "layer_norm"}
    for index in range(count):
        mine, theirs = f"blocks.{index}", f"layer_{index}"
        norms |= {
            f"{mine}.attention_norm": f"{theirs}/self_attention/layer_norm",
            f"{mine}.norm": f"{theirs}/ffn/layer_norm",
        }
        plain |= {
            f"{mine}.query_key_value": f"{theirs}/self_attention/linear_0",
            f"{mine}.project": f"{theirs}/self_attention/linear_1",
            f"{mine}.expand": f"{theirs}/ffn/linear_0",
            f"{mine}.contract": f"{theirs}/ffn/linear_1",
        }
    names = {"positions": "position_encodings/encodings"}
    names |= {f"{a}.{part}": f"{b}/{part}" for a, b in plain.items() for part in ("weight", "bias")}
    norm_parts = {"weight": "gamma", "bias": "beta"}
    names |= {f"{a}.{p}": f"{b}/{q}" for a, b in norms.items() for p, q in norm_parts.items()}
    return names


def _tensor(tensors: Mapping[str, NDArray[Any]], name: str) -> Tensor:
    if f"encoder/{name}" not in tensors:
        raise ContentError(f"model file: lacks encoder/{name}; expected a Whisper encoder")
    return torch.from_numpy(tensors[f"encoder/{name}"].astype("float32"))
