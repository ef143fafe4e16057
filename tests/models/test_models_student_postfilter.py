"""The postfilter: sharper filters from the same trunk."""

from __future__ import annotations

import pytest
import torch

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.models.student.transforms.postfilter import sharpening, with_postfilter

SMALL = StudentConfig(channels=16, hidden=(16, 16), dilations=(1, 2), outputs=16)


def student(**changes: object) -> Student:
    torch.manual_seed(0)
    return Student(StudentConfig(**{**SMALL.to_dict(), **changes})).eval()


def speech() -> torch.Tensor:
    return 0.1 * torch.randn(1, 1, 1, 160 * 40, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("bands", [8, 64, 96])
def test_what_is_flat_or_wide_stays_and_peaks_grow(bands: int) -> None:
    matrix = sharpening(bands, 1.3)
    assert torch.allclose(matrix @ torch.ones(bands), torch.ones(bands), atol=1e-5)
    ramp = torch.arange(bands).float()
    inside = slice(bands // 4, -(bands // 4))
    assert torch.allclose((matrix @ ramp)[inside], ramp[inside], atol=1e-3)
    peak = torch.eye(bands)[bands // 2]
    reach = max(1, round(bands / 8))
    assert (matrix @ peak)[bands // 2] == pytest.approx(1.3 - 0.3 / (2 * reach + 1), abs=1e-5)
    assert torch.equal(sharpening(bands, 1.0), torch.eye(bands))


@pytest.mark.parametrize("phase", ["fixed", "predicted"])
@torch.no_grad()
def test_both_filters_are_sharpened_and_nothing_else(phase: str) -> None:
    plain = student(phase=phase)
    before = {name: value.clone() for name, value in plain.state_dict().items()}
    one, other = plain.predict(speech()), with_postfilter(plain, 1.3).predict(speech())
    wanted = torch.einsum("ij,bjfn->bifn", sharpening(SMALL.bands, 1.3), one.bands[:, :, :2])
    assert torch.allclose(other.bands[:, :, :2], wanted, atol=1e-4)
    assert (other.bands[:, :, :2] - one.bands[:, :, :2]).abs().max() > 1e-3
    assert torch.equal(other.bands[:, :, 2:], one.bands[:, :, 2:])
    for name in ("log_f0", "voicing"):
        assert torch.equal(getattr(other, name), getattr(one, name))
    assert all(torch.equal(value, before[name]) for name, value in plain.state_dict().items())


def test_a_gain_of_one_and_a_head_without_filters_change_nothing() -> None:
    plain, istft = student(), student(head="istft")
    assert with_postfilter(plain, 1.0) is plain
    assert with_postfilter(istft, 1.5) is istft
