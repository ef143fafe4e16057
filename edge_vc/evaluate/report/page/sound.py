"""Recordings embedded in the page as FLAC: lossless, half of WAV's size, playable everywhere."""

from __future__ import annotations

import base64
import io

import numpy as np
import soundfile

from edge_vc.audio.io import Samples


def flac_uri(samples: Samples, sample_rate: int) -> str:
    """Return ``[T]`` as a data URI of 16-bit FLAC; values beyond full scale are clipped."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1.0, 1.0), sample_rate, "PCM_16", format="FLAC")
    return data_uri("audio/flac", buffer.getvalue())


def data_uri(kind: str, data: bytes) -> str:
    """Return bytes as a data URI of a media type."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
