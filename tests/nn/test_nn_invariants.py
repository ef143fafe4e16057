"""The streaming contract, over every layer of the table."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from nn_cases import CASES, Case
from nn_engines import ENGINES, run_torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from edge_vc.nn import State, StreamingLayer, flatten_state

every_layer = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def stream(layer: StreamingLayer, x: Tensor, cuts: list[int]) -> tuple[Tensor, State]:
    """Run ``x`` in steps of ``cuts`` blocks each."""
    assert sum(cuts) * layer.block == x.shape[-1]
    state, outputs = layer.init_state(x.shape[0]), []
    with torch.no_grad():
        for part in x.split([cut * layer.block for cut in cuts], dim=-1):
            y, state = layer.step(part, state)
            outputs.append(y)
    return torch.cat(outputs, dim=-1), state


@every_layer
@pytest.mark.parametrize("cuts", [[1] * 12, [5, 7], [3, 1, 2, 6], [2] * 6], ids=str)
def test_any_partition_equals_offline(case: Case, cuts: list[int]) -> None:
    layer = case.build()
    x = case.noise(layer, 12, batch=2)
    with torch.no_grad():
        offline = layer(x)
    streamed, _ = stream(layer, x, cuts)
    torch.testing.assert_close(streamed, offline, atol=1e-5, rtol=1e-5)


@every_layer
def test_state_starts_at_zero(case: Case) -> None:
    layer = case.build()
    for name, value in flatten_state(layer.init_state(3)).items():
        assert value.shape[0] == 3, name
        assert value.numel() > 0, name
        assert not value.any(), name


@every_layer
def test_names_shapes_and_dtypes_never_change(case: Case) -> None:
    layer = case.build()
    first = flatten_state(layer.init_state(2))
    assert all(value.dtype == torch.float32 for value in first.values())
    for cuts in ([1], [1, 1], [9], [4, 5]):
        _, state = stream(layer, case.noise(layer, sum(cuts), batch=2), cuts)
        after = flatten_state(state)
        assert list(after) == list(first)
        for name in first:
            assert (after[name].shape, after[name].dtype) == (first[name].shape, torch.float32)


@every_layer
def test_state_names_are_module_paths(case: Case) -> None:
    layer = case.build()
    for name in flatten_state(layer.init_state(1)):
        path, _, leaf = name.rpartition(".")
        owner = layer.get_submodule(path)
        assert isinstance(owner, StreamingLayer), name
        assert leaf in owner.init_state(1)


@every_layer
def test_batch_rows_are_independent(case: Case) -> None:
    layer = case.build()
    x = case.noise(layer, 6, batch=3)
    disturbed = x.clone()
    disturbed[1] = case.noise(layer, 6, seed=1)[0]
    together, state = stream(layer, x, [2, 4])
    beside, other = stream(layer, disturbed, [2, 4])
    for row in (0, 2):
        assert torch.equal(together[row], beside[row])
        alone, _ = stream(layer, x[row : row + 1], [2, 4])
        torch.testing.assert_close(alone[0], together[row], atol=1e-5, rtol=1e-5)
    for name, value in flatten_state(state).items():
        assert torch.equal(value[[0, 2]], flatten_state(other)[name][[0, 2]]), name


@every_layer
@pytest.mark.parametrize("change", [1, 5, 10])
def test_nothing_before_a_change_hears_of_it(case: Case, change: int) -> None:
    """What comes out before the change is late by ``delay``, never early."""
    layer = case.build()
    x = case.noise(layer, 11)
    changed = x.clone()
    changed[..., change * layer.block :] = case.noise(layer, 11 - change, seed=1)
    with torch.no_grad():
        before, after = layer(x), layer(changed)
    known = int(change * layer.block * layer.ratio)
    torch.testing.assert_close(after[..., :known], before[..., :known], atol=1e-6, rtol=1e-6)


@every_layer
@pytest.mark.parametrize("blocks", [1, 2, 7])
def test_length_is_the_input_times_the_ratio(case: Case, blocks: int) -> None:
    layer = case.build()
    x = case.noise(layer, blocks)
    with torch.no_grad():
        assert layer(x).shape[-1] == x.shape[-1] * layer.ratio


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.build().block > 1], ids=lambda case: case.name
)
def test_a_part_of_a_block_is_refused(case: Case) -> None:
    layer = case.build()
    x = case.noise(layer, 2)[..., 1:]
    with pytest.raises(ValueError, match=f"multiples of {layer.block} frames"):
        layer(x)


class Reductions(TorchDispatchMode):
    """Collects the operations that reduce an axis of any of the given lengths."""

    NAMES = ("sum", "mean", "amax", "amin", "max", "min", "var", "std", "norm", "softmax", "cum")

    def __init__(self, lengths: set[int]) -> None:
        super().__init__()
        self.lengths, self.found = lengths, list[str]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        pooled = "pool" in name and result.shape[-1] != args[0].shape[-1]
        named = any(part in name for part in self.NAMES) and name not in ("maximum", "minimum")
        if pooled or (named and self.over_time(args)):
            self.found.append(name)
        return result

    def over_time(self, args: Any) -> bool:
        shape = args[0].shape
        dims = args[1] if len(args) > 1 and args[1] is not None else range(len(shape))
        dims = [dims] if isinstance(dims, int) else dims
        return any(isinstance(d, int) and shape[d] in self.lengths for d in dims)


@every_layer
def test_nothing_reduces_over_time(case: Case) -> None:
    layer, blocks = case.build(), 29
    x = case.noise(layer, blocks)
    frames = {blocks * count for count in (1, layer.block, int(layer.block * layer.ratio))}
    with torch.no_grad(), Reductions(frames) as reductions:
        layer(x)
    assert reductions.found == []


class Averaging(StreamingLayer):
    """Breaks the contract: the loudest frame of a step sets the level of all."""

    def init_state(self, batch: int) -> State:
        return {}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return x / x.abs().amax(dim=-1, keepdim=True), {}


def test_the_check_catches_a_layer_that_reduces_over_time() -> None:
    with Reductions({29}) as reductions:
        Averaging()(torch.ones(1, 4, 1, 29))
    assert reductions.found == ["amax"]


@every_layer
def test_step_mutates_nothing(case: Case) -> None:
    layer = case.build()
    _, state = stream(layer, case.noise(layer, 3), [3])
    x = case.noise(layer, 2, seed=1)
    kept = copy.deepcopy((x, state, layer.state_dict(), dict(layer.named_buffers())))
    with torch.no_grad():
        first, _ = layer.step(x, state)
        again, _ = layer.step(x, state)
    assert torch.equal(first, again)
    assert torch.equal(x, kept[0])
    found = flatten_state(state), layer.state_dict(), dict(layer.named_buffers())
    for now, before in zip(found, (flatten_state(kept[1]), *kept[2:]), strict=True):
        assert list(now) == list(before)
        assert all(torch.equal(now[name], before[name]) for name in now)


@every_layer
@pytest.mark.parametrize("engine", ENGINES)
def test_engines_agree_with_torch_over_a_long_run(case: Case, engine: str) -> None:
    layer = case.build()
    x = case.noise(layer, 300)
    torch.testing.assert_close(
        ENGINES[engine](layer, x, 1), run_torch(layer, x), atol=1e-4, rtol=1e-4
    )


@every_layer
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("blocks", [2])
def test_graphs_of_several_blocks_a_step_agree_with_torch(
    case: Case, engine: str, blocks: int
) -> None:
    layer = case.build()
    x = case.noise(layer, 12)
    found = ENGINES[engine](layer, x, blocks)
    torch.testing.assert_close(found, run_torch(layer, x), atol=1e-5, rtol=1e-5)
