"""Contexts with time outermost, so that a new frame is appended by copying rows.

PyTorch stores a context as ``[1, C, 1, T]``: appending a frame to it moves every channel
separately. As ``[1, 1, T, C]`` it is one block copy, and the integer kernels, which use that
layout anyway, need no transposes around them. The residual stream between the blocks is changed
too, since for one frame both layouts are the same bytes.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import onnx

from edge_vc_export.onnx.graph import Graph, attribute

_TO_LAST, _TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
"""Permutations that put the channels last, and back."""


def put_channels_last(graph: Graph) -> None:
    """Rewrite every context of a one-frame step, and everything between them.

    States keep their names; ``[1, C, 1, T]`` becomes ``[1, 1, T, C]``. Engines cancel the
    remaining transposes against their own.
    """
    shapes = graph.shapes()
    for concat in [n for n in graph.nodes if _is_context(graph, n, shapes)]:
        _turn_context(graph, concat, shapes)
    while _move_up(graph):
        _share_transposes(graph)
    graph.sweep()
    graph.sort()


def _is_context(graph: Graph, node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> bool:
    """Return whether a node appends one frame to a state, whose tail is the next state."""
    if node.op_type != "Concat" or len(node.input) != 2:
        return False
    state, frame = node.input
    if state not in graph.inputs or shapes[frame] != (1, shapes[state][1], 1, 1):
        return False
    readers = graph.consumers(node.output[0])
    slices = [reader for reader in readers if reader.op_type == "Slice"]
    return len(slices) == 1 and slices[0].output[0] == state.replace("state.", "next.", 1)


def _turn_context(graph: Graph, concat: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> None:
    state, frame = concat.input
    _, channels, _, frames = shapes[state]
    for name in (state, state.replace("state.", "next.", 1)):
        graph.reshape_port(name, (1, 1, frames, channels))
    appended = graph.insert("Transpose", [frame], before=concat, perm=_TO_LAST)
    line = graph.insert("Concat", [state, appended], before=concat, axis=2)
    turned = graph.insert("Transpose", [line], before=concat, perm=_TO_FIRST)
    for reader in graph.consumers(concat.output[0]):
        if reader.op_type == "Slice":
            reader.input[0] = line
            reader.input[3] = graph.constant(np.array([2]), "axis")
    graph.redirect(concat.output[0], turned)
    graph.remove(concat)


def _move_up(graph: Graph) -> bool:
    """Cancel one transpose against its inverse, or move one before an addition."""
    for node in graph.nodes:
        if not _turns(node, _TO_LAST):
            continue
        maker = graph.producer(node.input[0])
        if maker is not None and _turns(maker, _TO_FIRST):
            graph.redirect(node.output[0], maker.input[0])
            graph.remove(node)
            return True
        if maker is not None and maker.op_type == "Add" and _is_sum(graph, maker):
            terms = [
                graph.insert("Transpose", [name], before=maker, perm=_TO_LAST)
                for name in maker.input
            ]
            total = graph.insert("Add", terms, before=maker)
            back = graph.insert("Transpose", [total], before=maker, perm=_TO_FIRST)
            graph.redirect(maker.output[0], back)
            graph.remove(maker)
            return True
    return False


def _is_sum(graph: Graph, node: onnx.NodeProto) -> bool:
    """Return whether both terms are computed; a constant would have to be transposed too."""
    return not any(name in graph.constants or name in graph.inputs for name in node.input)


def _share_transposes(graph: Graph) -> None:
    seen: dict[tuple[str, tuple[int, ...]], str] = {}
    for node in [n for n in graph.nodes if n.op_type == "Transpose"]:
        key = (str(node.input[0]), _order(node))
        first = seen.setdefault(key, node.output[0])
        if first != node.output[0]:
            graph.redirect(node.output[0], first)
            graph.remove(node)
    graph.sweep()
    graph.sort()


def _turns(node: onnx.NodeProto, order: tuple[int, ...]) -> bool:
    return node.op_type == "Transpose" and _order(node) == order


def _order(node: onnx.NodeProto) -> tuple[int, ...]:
    return tuple(cast("list[int]", attribute(node, "perm")))
