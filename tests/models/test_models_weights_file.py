"""Weights are read by any name that a disk can hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from edge_vc.models.weights_bytes import weights_bytes
from edge_vc.models.weights_file import opened_weights


@pytest.mark.parametrize("name", [b"plain", b"Gr\xf6\xdfe", b"one\ntwo", "stimme \u58f0".encode()])
def test_weights_of_any_name_are_opened(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name + b".safetensors")
    path.write_bytes(weights_bytes({"a": torch.arange(3.0)}, {"said": "so"}))
    with opened_weights(path) as file:
        assert file.metadata() == {"said": "so"}
        assert torch.equal(file.get_tensor("a"), torch.arange(3.0))


def test_what_is_missing_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError), opened_weights(tmp_path / os.fsdecode(b"\xf6")):  # noqa: PT011
        pass
