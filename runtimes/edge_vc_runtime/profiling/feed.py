"""The input of a measurement: the bundle's golden recording, or noise if there is none."""

from __future__ import annotations

from typing import Literal

import numpy as np

from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.samples import Samples

FeedKind = Literal["golden", "noise"]
_NOISE_S = 5


def feed_hops(bundle: Bundle) -> tuple[Samples, FeedKind]:
    """Return hops ``[N, hop]`` to repeat, and their kind."""
    hop = bundle.manifest.hop
    kind: FeedKind = "golden" if bundle.manifest.golden else "noise"
    if kind == "golden":
        audio = bundle.golden()["input"]
    else:
        random = np.random.default_rng(0)
        audio = 0.1 * random.standard_normal(_NOISE_S * bundle.manifest.sample_rate, np.float32)
    count = audio.shape[0] // hop
    if not count:
        audio, count = np.zeros(hop, np.float32), 1
    return np.ascontiguousarray(audio[: count * hop]).reshape(count, hop), kind
