"""The same weights are the same bytes, and the library reads them."""

from __future__ import annotations

import torch
from safetensors.torch import load

from edge_vc.models.weights_bytes import weights_bytes


def test_the_order_of_tensors_and_metadata_changes_no_byte() -> None:
    generator = torch.Generator().manual_seed(1)
    weights = {f"w{i}": torch.randn(i + 1, 3, generator=generator).half() for i in range(6)}
    said = {name: name.upper() + "é" for name in ("seed", "data", "log", "licence", "consent")}
    once = weights_bytes(weights, said)
    turned = dict(reversed(weights.items())), dict(reversed(said.items()))
    assert all(weights_bytes(*turned) == once for _ in range(5))
    read = load(once)
    assert read.keys() == weights.keys()
    assert all(torch.equal(read[name], weights[name]) for name in weights)
