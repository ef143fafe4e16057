from __future__ import annotations

import pytest
import torch
from torch import Tensor

from edge_vc.nn import CausalISTFT, CausalSTFT, InverseRealDFT, RealDFT, Serial
from edge_vc.nn.fourier import Split
from edge_vc.nn.stft import WindowKind, make_window

SIZES = [4, 6, 10, 12, 64, 160, 240, 320, 400, 512]


def complex_rows(spectra: Tensor) -> Tensor:
    """``[B, rows, 2, F]`` as complex ``[B, rows, F]``."""
    return torch.complex(spectra[:, :, 0], spectra[:, :, 1])


@pytest.mark.parametrize("size", SIZES)
def test_rows_are_the_bins_of_the_fourier_transform(size: int) -> None:
    transform, frames = RealDFT(torch.ones(size)), torch.randn(2, size, 1, 3)
    expected = torch.fft.rfft(frames[:, :, 0], dim=1)
    rows = complex_rows(transform(frames))
    used = [row for row, k in enumerate(transform.bins) if k >= 0]
    assert sorted(transform.bins[row] for row in used) == list(range(size // 2 + 1))
    order = [transform.bins[row] for row in used]
    torch.testing.assert_close(rows[:, used], expected[:, order], atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("size", SIZES)
def test_the_inverse_undoes_the_transform(size: int) -> None:
    torch.manual_seed(size)
    frames, window = torch.randn(2, size, 1, 3), torch.rand(size) + 0.5
    back = InverseRealDFT(1 / window)(RealDFT(window)(frames))
    torch.testing.assert_close(back, frames, atol=1e-5, rtol=1e-5)


def test_the_inverse_ignores_what_no_real_signal_has() -> None:
    inverse = InverseRealDFT(torch.ones(64))
    spectra = torch.randn(1, len(inverse.bins), 2, 1)
    changed = spectra.clone()
    for row, k in enumerate(inverse.bins):
        if k < 0:
            changed[:, row] += 1.0
        if k in (0, 32):
            changed[:, row, 1] += 1.0
    torch.testing.assert_close(inverse(changed), inverse(spectra), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("size", "most"), [(512, 36_000), (320, 19_000)])
def test_two_stages_take_a_fraction_of_one_matrix(size: int, most: int) -> None:
    transform = RealDFT(torch.ones(size))
    constants = sum(buffer.numel() for buffer in transform.buffers())
    assert Split.cheapest(size).multiplications <= most < size * size / 5
    assert constants < size * size / 10


@pytest.mark.parametrize("size", [0, 2, 7])
def test_a_size_that_cannot_split_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"transform size {size} must be even and at least 4"):
        Split.cheapest(size)


def test_windows_end_on_their_hop_s_last_sample() -> None:
    layer, audio = CausalSTFT(512, 160), torch.randn(1, 1, 1, 1600)
    padded = torch.cat([torch.zeros(352), audio.flatten()])
    expected = torch.stft(
        padded, 512, 160, window=make_window("hann", 512), center=False, return_complex=True
    )
    rows = complex_rows(layer(audio))[0]
    used = [row for row, k in enumerate(layer.bins) if k >= 0]
    order = [layer.bins[row] for row in used]
    torch.testing.assert_close(rows[used], expected[order], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("window", "hop", "kind"),
    [(320, 160, "sine"), (320, 160, "hann"), (320, 80, "hann"), (64, 16, "sine"), (36, 12, "hann")],
)
def test_analysis_and_synthesis_return_the_input_late(
    window: int, hop: int, kind: WindowKind
) -> None:
    both = Serial(CausalSTFT(window, hop, kind), CausalISTFT(window, hop, kind))
    assert (both.block, both.ratio, both.delay) == (hop, 1, window - hop)
    x = torch.randn(1, 1, 1, 20 * hop)
    late = both(x)[..., both.delay :]
    torch.testing.assert_close(late, x[..., : -both.delay], atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: CausalSTFT(64, 65), "hop 65 must be within 1..64"),
        (lambda: CausalISTFT(64, 24), "window 64 must be a multiple of the hop 24"),
        (lambda: make_window("blackman", 8), "window 'blackman' is not one of"),
    ],
)
def test_impossible_windows_are_refused(build: object, message: str) -> None:
    assert callable(build)
    with pytest.raises(ValueError, match=message):
        build()
