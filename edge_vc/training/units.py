"""What the target's own speech sounds like inside a teacher: the units it retrieves contents from.

The centres of k-means over the contents of all her frames:
a megabyte in place of an hour of speech.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from edge_vc.audio.mel import LogMel, channel_mean
from edge_vc.models.teacher import TeacherNetwork

LOUDEST = 32767
"""Full scale of stored samples."""


@torch.no_grad()
def with_units(
    network: TeacherNetwork, recordings: Iterable[NDArray[np.int16]], count: int, seed: int = 0
) -> TeacherNetwork:
    """Return a copy of ``network`` that retrieves from ``count`` units of ``recordings`` ``[T]``.

    Raises `ValueError` where the recordings have fewer frames than that.
    """
    device = next(network.parameters()).device
    log_mel_of = LogMel().to(device)
    contents = []
    for samples in recordings:
        audio = torch.from_numpy(samples.astype(np.float32) / LOUDEST)[None].to(device)
        log_mel = log_mel_of(audio)
        content = network.encode(log_mel - channel_mean(log_mel[0]))
        contents.append(content[0].T.cpu().numpy())
    frames = np.concatenate(contents)
    if len(frames) < count:
        raise ValueError(f"{count} units of {len(frames)} frames")
    means = MiniBatchKMeans(count, batch_size=8192, n_init=1, max_iter=5, random_state=seed)
    means.fit(frames)
    config = replace(network.config, units=count)
    knowing = TeacherNetwork(config).train(network.training)
    units = torch.from_numpy(means.cluster_centers_).float()
    knowing.load_state_dict(network.state_dict() | {"units": units})
    return knowing.to(device)
