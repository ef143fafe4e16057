from __future__ import annotations

import numpy as np
import pytest
import torch
from voices import voice

from edge_vc.augmentation.noise_bank import NoiseBank
from edge_vc.labelling.labels import to_int16


def test_noises_have_unit_power_and_rooms_begin_with_the_sound() -> None:
    voices = [to_int16(voice(1.0, 150.0, seed)) for seed in range(3)]
    made = NoiseBank.build(voices, [np.ones(500, np.float32)], [np.eye(1, 900, 100)[0]])
    torch.testing.assert_close(made.noises.square().mean(1), torch.ones(len(made.noises)))
    torch.testing.assert_close(made.rooms.square().sum(1), torch.ones(len(made.rooms)))
    assert float(made.rooms[-1, 0]) == pytest.approx(1.0)
    assert torch.equal(made.noises, NoiseBank.build(voices, [np.ones(500, np.float32)]).noises)


def test_other_speakers_babble_is_among_the_noises() -> None:
    voices = [to_int16(voice(1.0, 150.0, seed)) for seed in range(3)]
    plain, babbling = NoiseBank.build([]), NoiseBank.build(voices)
    assert len(babbling.noises) == len(plain.noises) + 8
