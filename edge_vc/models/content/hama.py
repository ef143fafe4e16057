"""The encoder of hama's phone recogniser in torch: a small Conformer (Gulati et al. 2020).

Four blocks of width 144, 2.2 million parameters. Contents are the output of one block; 99 % of the
phone decisions agree with those of the package itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edge_vc.models.content.encoder import ContentError, padded
from edge_vc.models.content.hama_file import read_hama
from edge_vc.models.content.package import contents_folder
from edge_vc.settings.package import checked_weights

INSTALL = "hama==1.7.0"
SHA256 = "a9fcfe73e179ca48e399cd76a90a6b3e1887bf5037ecc52b778d13a149563328"
"""Hash of the model file of hama 1.7.0."""
RATE = 16_000
FRAME = 320
"""Samples per frame: a convolution takes every other one of the hops of 160 samples."""
_WINDOW, _HOP, _HEADS, _FLOOR = 400, 160, 4, 1e-10
BLOCK = 3
"""Block whose output is used: it has the highest phone accuracy of nearest neighbours."""
LONGEST = 3000
"""Frames encoded at once (60 s): the cost of attention grows with their square."""
CONTEXT = 100
"""Context frames on either side of the frames kept from each window, in longer recordings."""
_DEPTHWISE = (804, 807, 810, 813)
_MATRICES = (829, 838, 847, 856)
"""Number of each block's first unnamed weight; the others follow in a fixed order."""
BLOCKS = len(_MATRICES)


class HamaEncoder(nn.Module):
    """Content frames at 50 Hz from one block of the recogniser."""

    name = "hama"
    width = 144
    frame_rate = RATE // FRAME
    sample_rate = RATE

    def __init__(self, tensors: Mapping[str, NDArray[np.float32]], block: int = BLOCK) -> None:
        """Build the encoder; raises `ContentError` if a tensor is missing."""
        super().__init__()
        if not 1 <= block <= len(_MATRICES):
            raise ContentError(f"block = {block}: hama has blocks 1 to {len(_MATRICES)}")
        self.block = block
        self._weights = {name: torch.from_numpy(value) for name, value in tensors.items()}
        missing = {f"onnx::MatMul_{n}" for n in _MATRICES} | {"mel_fb", "onnx::Conv_801"}
        if missing - self._weights.keys():
            raise ContentError(f"model file: lacks {min(missing - self._weights.keys())}")

    def on(self, device: torch.device | str) -> HamaEncoder:
        """Move the weights to ``device`` and return the encoder.

        They are not parameters, since no module could hold their names: `to` does not move them.
        """
        self._weights = {name: value.to(device) for name, value in self._weights.items()}
        return self

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Tensor:
        """Return contents ``[F, 144]`` of mono ``audio`` ``[T]`` at 16 kHz, frames of 20 ms."""
        return self._in_windows(audio, lambda part: self.hidden(part, self.block))

    @torch.no_grad()
    def blocks(self, audio: Tensor) -> Tensor:
        """Return all blocks' outputs of ``audio`` ``[T]``, concatenated, ``[F, 4 * 144]``."""
        return self._in_windows(audio, lambda part: torch.cat(self.all_blocks(part)[0], -1))

    def _in_windows(self, audio: Tensor, encoder: Callable[[Tensor], Tensor]) -> Tensor:
        """Apply ``encoder`` to ``[1, T]`` window by window; its output is ``[1, F + 1, C]``."""
        audio = padded(audio.float(), FRAME)
        frames, inner = len(audio) // FRAME, LONGEST - 2 * CONTEXT
        if frames <= LONGEST:
            return encoder(audio[None])[0, :frames]
        parts = []
        for start in range(0, frames, inner):
            low, high = max(0, start - CONTEXT), min(frames, start + inner + CONTEXT)
            encoded = encoder(audio[None, low * FRAME : high * FRAME])[0]
            parts.append(encoded[: high - low][start - low : start - low + inner])
        return torch.cat(parts)

    def log_mel(self, audio: Tensor) -> Tensor:
        """Return natural-log mel powers ``[B, 80, T / 160 + 1]`` of ``audio`` ``[B, T]``."""
        framed = nn.functional.pad(audio, (_WINDOW // 2, _WINDOW // 2))[:, None]
        weights = self._weights
        real, imaginary = (
            nn.functional.conv1d(framed, weights[f"stft_{part}_kernel"], stride=_HOP)
            for part in ("real", "imag")
        )
        power = (real.square() + imaginary.square()).transpose(1, 2) @ weights["mel_fb"]
        return power.transpose(1, 2).clamp_min(_FLOOR).log()

    def hidden(self, audio: Tensor, block: int) -> Tensor:
        """Return ``[B, T / 320 + 1, 144]`` after ``block`` of ``audio`` ``[B, T]``."""
        weights = self._weights
        x = nn.functional.conv1d(
            self.log_mel(audio),
            weights["onnx::Conv_801"],
            weights["onnx::Conv_802"],
            stride=2,
            padding=1,
        )
        x = x.relu().transpose(1, 2)
        for index in range(block):
            x = self._conformer(x, index)
        return x

    def all_blocks(self, audio: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return each block's frames, ``[B, F, 144]`` each, and `phones` ``[B, F, 191]``.

        They are computed from ``audio`` ``[B, T]``; gradients flow back into it.
        """
        frames = [self.hidden(audio, 1)]
        for index in range(1, BLOCKS):
            frames.append(self._conformer(frames[-1], index))
        return frames, self.phones(frames[-1])

    def phones(self, hidden: Tensor) -> Tensor:
        """Return log-probabilities ``[B, F, 191]`` of the last block's ``hidden`` frames."""
        name = "acoustic_model.model.proj"
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return nn.functional.conv1d(hidden.transpose(1, 2), weight, bias).log_softmax(1).mT

    def _conformer(self, x: Tensor, index: int) -> Tensor:
        first = _MATRICES[index]
        names = [f"onnx::MatMul_{first + n}" for n in (0, 1, 2, 6, 7, 8)]
        up1, down1, into, out, up2, down2 = (self._weights[name] for name in names)
        x = x + 0.5 * self._feed_forward(x, f"blocks.{index}.ffn1", up1, down1)
        x = x + self._attend(x, f"blocks.{index}", into, out)
        x = x + self._convolve(x, index)
        x = x + 0.5 * self._feed_forward(x, f"blocks.{index}.ffn2", up2, down2)
        return self._norm(x, f"blocks.{index}.norm")

    def _named(self, name: str) -> Tensor:
        return self._weights[f"acoustic_model.model.{name}"]

    def _norm(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self._named(f"{name}.weight"), self._named(f"{name}.bias")
        return nn.functional.layer_norm(x, (self.width,), weight, bias)

    def _feed_forward(self, x: Tensor, name: str, up: Tensor, down: Tensor) -> Tensor:
        y = self._norm(x, f"{name}.norm") @ up + self._named(f"{name}.fc1.bias")
        return nn.functional.silu(y) @ down + self._named(f"{name}.fc2.bias")

    def _attend(self, x: Tensor, name: str, into: Tensor, out: Tensor) -> Tensor:
        packed = self._norm(x, f"{name}.attn_norm") @ into + self._named(
            f"{name}.attn.in_proj_bias"
        )
        batch, frames, _ = x.shape
        query, key, value = packed.view(batch, frames, 3, _HEADS, -1).permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(query, key, value)
        flat = seen.transpose(1, 2).reshape(x.shape)
        return flat @ out + self._named(f"{name}.attn.out_proj.bias")

    def _convolve(self, x: Tensor, index: int) -> Tensor:
        name = f"blocks.{index}.conv"
        y = self._norm(x, f"{name}.norm").transpose(1, 2)
        y = nn.functional.glu(self._pointwise(y, f"{name}.pointwise1"), 1)
        first = _DEPTHWISE[index]
        weight, bias = (self._weights[f"onnx::Conv_{first + n}"] for n in (0, 1))
        y = nn.functional.conv1d(y, weight, bias, padding="same", groups=self.width)
        return self._pointwise(nn.functional.silu(y), f"{name}.pointwise2").transpose(1, 2)

    def _pointwise(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self._named(f"{name}.weight"), self._named(f"{name}.bias")
        return nn.functional.conv1d(x, weight, bias)


def open_hama(block: int = BLOCK) -> HamaEncoder:
    """Open the encoder of the installed hama; raises `ContentError`."""
    path = contents_folder("hama", "hama", INSTALL) / "assets" / "asr_waveform.hama"
    data = checked_weights([path], SHA256, "the model of hama 1.7.0", INSTALL, ContentError)
    return HamaEncoder(read_hama(data), block)
