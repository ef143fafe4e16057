"""A short, seeded part of `make fuzz`: any bytes in, an error for users out."""

from __future__ import annotations

import random
import warnings

import pytest
from fuzz_mutation import ODD, mutated
from fuzz_targets import TARGETS, expected

COUNT = 40
"""Changed files per reader."""
SLOW = ("evaluation", "Ansible inventory")


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The targets set where a user's state lies; put it back afterwards."""
    for kind in ("STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", "/nonexistent")


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_read_or_refused(name: str) -> None:
    target, chance = TARGETS[name], random.Random(0)
    seeds = target.seeds()
    assert seeds
    for seed in seeds:
        target.read(seed)
    count = COUNT // 4 if name in SLOW else COUNT
    odd = ODD[:8] if name in SLOW else ODD
    tried = [b"", *odd, *(mutated(chance.choice(seeds), chance) for _ in range(count))]
    for data in tried:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                target.read(data)
            except Exception as error:
                if not expected(error):
                    raise AssertionError(f"{type(error).__name__} for {data[:300]!r}") from error
