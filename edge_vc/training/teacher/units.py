"""What the target's own speech sounds like inside a teacher: the units it retrieves contents from.

The centres of k-means over the contents of all frames of the target:
a megabyte in place of an hour of speech.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor

from edge_vc.audio.mel import LogMel, channel_mean
from edge_vc.models.teacher.network import TeacherNetwork

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
    frames = torch.cat(list(_contents(network, recordings))).cpu().numpy()
    if len(frames) < count:
        raise ValueError(f"{count} units of {len(frames)} frames")
    means = MiniBatchKMeans(count, batch_size=8192, n_init=1, max_iter=5, random_state=seed)
    means.fit(frames)
    config = replace(network.config, units=count)
    knowing = TeacherNetwork(config).train(network.training)
    units = torch.from_numpy(means.cluster_centers_).float()
    knowing.load_state_dict(network.state_dict() | {"units": units})
    return knowing.to(device)


@torch.no_grad()
def renew_units(
    network: TeacherNetwork, recordings: Sequence[NDArray[np.int16]], seed: Sequence[int]
) -> None:
    """Give ``network``, as it is now, contents of ``recordings`` ``[T]`` for its units.

    Frames of sentences drawn by ``seed``, no more of them than it takes; means over all the
    frames would be a minute's work each time. Raises `ValueError` where there are too few.
    """
    training = network.training
    network.eval()
    count, found = network.config.units, 0
    order = np.random.default_rng(seed).permutation(len(recordings))
    drawn: list[Tensor] = []
    for content in _contents(network, (recordings[i] for i in order)):
        drawn.append(content)
        found += len(content)
        if found >= count:
            break
    network.train(training)
    if found < count:
        raise ValueError(f"{count} units of {found} frames")
    network.units.copy_(torch.cat(drawn)[:count])


def _contents(network: TeacherNetwork, recordings: Iterable[NDArray[np.int16]]) -> Iterator[Tensor]:
    """Yield the contents ``[F, bottleneck]`` of each recording ``[T]``."""
    device = next(network.parameters()).device
    log_mel_of = LogMel().to(device)
    for samples in recordings:
        audio = torch.from_numpy(samples.astype(np.float32) / LOUDEST)[None].to(device)
        log_mel = log_mel_of(audio)
        yield network.encode(log_mel - channel_mean(log_mel[0]))[0].T
