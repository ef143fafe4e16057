"""Stored arrays: every kind of damage is noticed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from damages import Damage, every, flip

from edge_vc.data.stored_arrays import (
    StoredArraysError,
    read_arrays,
    store_arrays,
    stored_arrays,
)


@every
def test_stored_arrays(tmp_path: Path, damage: Damage) -> None:
    one, other = tmp_path / "one.npz", tmp_path / "other.npz"
    store_arrays(one, {"a": np.arange(500), "b": np.zeros((2, 0), np.float16)}, "one")
    store_arrays(other, {"a": np.arange(500), "b": np.ones((2, 1), np.float16)}, "other")
    before = one.read_bytes()
    found = stored_arrays(one, "one")
    assert found is not None
    assert (found["a"] == np.arange(500)).all()
    assert found["b"].shape == (2, 0)
    assert stored_arrays(one, "another one") is None
    damage(one, other)
    assert stored_arrays(one, "one") is None
    store_arrays(one, {"a": np.arange(500), "b": np.zeros((2, 0), np.float16)}, "one")
    assert one.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"one.npz", "other.npz"}
    flip(one)
    with pytest.raises(StoredArraysError, match=r"one.npz: is missing or damaged"):
        read_arrays(one)
