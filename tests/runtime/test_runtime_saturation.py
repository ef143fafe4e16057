"""CPUs whose integer kernels saturate compute the same integers in float."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_vc_runtime.engines.onnx_engine import engine
from edge_vc_runtime.engines.onnx_engine.saturation import kernels_saturate

ZEN2 = "processor : 0\nflags\t\t: fpu sse avx avx2 fma\n"
ZEN4 = "processor : 0\nflags\t\t: fpu avx2 avx512f avx512_vnni\n"
ALDER_LAKE = "processor : 0\nflags\t\t: fpu avx2 avx_vnni\n"
PI = "processor : 0\nFeatures : fp asimd asimddp\n"


@pytest.mark.parametrize(
    ("machine", "text", "expected"),
    [
        ("x86_64", ZEN2, True),
        ("AMD64", ZEN2, True),
        ("x86_64", ZEN4, False),
        ("x86_64", ALDER_LAKE, False),
        ("aarch64", PI, False),
        ("x86_64", "", False),
    ],
)
def test_saturation_follows_the_flags(
    tmp_path: Path, machine: str, text: str, expected: bool
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    assert kernels_saturate(machine, path) is expected


def test_flags_that_cannot_be_read_are_no_reason_to_be_slow(tmp_path: Path) -> None:
    assert not kernels_saturate("x86_64", tmp_path / "missing")


@pytest.mark.parametrize("saturates", [True, False])
def test_float_replaces_saturating_integers(
    monkeypatch: pytest.MonkeyPatch, saturates: bool
) -> None:
    monkeypatch.setattr(engine, "kernels_saturate", lambda: saturates)
    options = engine.session_options(1)
    if saturates:
        assert options.get_session_config_entry("session.disable_quant_qdq") == "1"
    else:
        with pytest.raises(RuntimeError):
            options.get_session_config_entry("session.disable_quant_qdq")
