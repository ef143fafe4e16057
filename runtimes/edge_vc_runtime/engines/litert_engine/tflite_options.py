"""The options of operators that kernels multiply, divide or index by.

Numbers of options and of their fields are those of TFLite's schema. A kernel treats options of
another kind as missing, so these are rejected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from edge_vc_runtime.engines.litert_engine.flatbuffer import Table
from edge_vc_runtime.engines.litert_engine.tflite_graph import TfliteError

Options = Mapping[str, int]
_LONGEST_STEP = 1 << 16
_ACTIVATION = (0, 3)
"""None, ReLU, ReLU from -1 to 1, ReLU up to 6: those supported by kernels."""


class OptionField(NamedTuple):
    """One numeric field of an operator's options."""

    field: int
    low: int
    high: int
    form: str = "b"
    """Its format character in `struct`."""
    default: int = 0


class OptionKind(NamedTuple):
    """The options of one kind of operator."""

    number: int
    fields: Mapping[str, OptionField]
    needed: bool = False
    """Whether an operator without them is rejected, since their defaults are not valid values."""
    vector: bool = False
    """Whether the first field is a list of sizes."""


def _step(field: int, default: int = 0) -> OptionField:
    return OptionField(field, 1, _LONGEST_STEP, "i", default)


def _axis(field: int) -> OptionField:
    return OptionField(field, -8, 7, "i")


def _flag(field: int) -> OptionField:
    return OptionField(field, 0, 1, "B")


def _activated(number: int) -> OptionKind:
    return OptionKind(number, {"activation": OptionField(0, *_ACTIVATION)})


_WINDOW = {"padding": OptionField(0, 0, 1), "stride_w": _step(1), "stride_h": _step(2)}
_POOL = OptionKind(
    5,
    {
        **_WINDOW, "filter_w": _step(3), "filter_h": _step(4),
        "activation": OptionField(5, *_ACTIVATION),
    },
    needed=True,
)  # fmt: skip
_REDUCER = OptionKind(27, {"keep_dims": _flag(0)})
_BLOCKS = {"block": _step(0)}
_RESIZE = {"align_corners": 0, "half_pixel": 1}
_MASK = (0, 31)

KINDS: Mapping[str, OptionKind] = {
    "CONV_2D": OptionKind(
        1,
        {
            **_WINDOW, "activation": OptionField(3, *_ACTIVATION), "dilation_w": _step(4, 1),
            "dilation_h": _step(5, 1), "bias_type": OptionField(6, 0, 4),
        },
        needed=True,
    ),
    "DEPTHWISE_CONV_2D": OptionKind(
        2,
        {
            **_WINDOW, "multiplier": OptionField(3, 0, _LONGEST_STEP, "i"),
            "activation": OptionField(4, *_ACTIVATION), "dilation_w": _step(5, 1),
            "dilation_h": _step(6, 1),
        },
        needed=True,
    ),
    "TRANSPOSE_CONV": OptionKind(
        49,
        {
            **_WINDOW, "activation": OptionField(3, *_ACTIVATION),
            "bias_type": OptionField(4, 0, 4),
        },
        needed=True,
    ),
    "FULLY_CONNECTED": OptionKind(
        8,
        {
            "activation": OptionField(0, *_ACTIVATION), "shuffled": OptionField(1, 0, 0),
            "keep_dims": _flag(2), "asymmetric": _flag(3), "bias_type": OptionField(4, 0, 4),
        },
    ),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"), _POOL),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN"), _REDUCER),
    "CONCATENATION": OptionKind(
        10, {"axis": _axis(0), "activation": OptionField(1, *_ACTIVATION)}
    ),
    "ADD": _activated(11), "MUL": _activated(21), "SUB": _activated(28), "DIV": _activated(29),
    "RESHAPE": OptionKind(17, {}, vector=True), "SQUEEZE": OptionKind(30, {}, vector=True),
    "SPACE_TO_DEPTH": OptionKind(19, _BLOCKS, needed=True),
    "DEPTH_TO_SPACE": OptionKind(94, _BLOCKS, needed=True),
    "GATHER": OptionKind(23, {"axis": _axis(0), "batch": OptionField(1, 0, 0, "i")}),
    "STRIDED_SLICE": OptionKind(
        32,
        {
            "begin_mask": OptionField(0, *_MASK, "i"), "end_mask": OptionField(1, *_MASK, "i"),
            "ellipsis_mask": OptionField(2, 0, 0, "i"), "axis_mask": OptionField(3, 0, 0, "i"),
            "shrink_mask": OptionField(4, *_MASK, "i"), "offset": OptionField(5, 0, 0, "B"),
        },
    ),
    "SPLIT": OptionKind(35, {"parts": OptionField(0, 1, 1 << 12, "i")}, needed=True),
    "SPLIT_V": OptionKind(79, {"parts": OptionField(0, 1, 1 << 12, "i")}, needed=True),
    "PACK": OptionKind(
        59, {"parts": OptionField(0, 1, 1 << 12, "i"), "axis": _axis(1)}, needed=True
    ),
    "UNPACK": OptionKind(
        64, {"parts": OptionField(0, 1, 1 << 12, "i"), "axis": _axis(1)}, needed=True
    ),
    "MIRROR_PAD": OptionKind(77, {"symmetric": OptionField(0, 0, 1)}),
    "FAKE_QUANT": OptionKind(58, {"bits": OptionField(2, 2, 16, "i")}, needed=True),
    "BATCH_MATMUL": OptionKind(
        101, {"turn_left": _flag(0), "turn_right": _flag(1), "asymmetric": _flag(2)}
    ),
    "RESIZE_BILINEAR": OptionKind(15, {k: _flag(2 + v) for k, v in _RESIZE.items()}),
    "RESIZE_NEAREST_NEIGHBOR": OptionKind(74, {k: _flag(v) for k, v in _RESIZE.items()}),
    "CUMSUM": OptionKind(102, {"exclusive": _flag(0), "reverse": _flag(1)}),
}  # fmt: skip
"""Options by the operator's name in TFLite's schema; kernels ignore the options of others."""


def read_options(name: str, operator: Table) -> tuple[Options, tuple[int, ...]]:
    """Return an operator's options and, if they begin with one, its list of sizes."""
    kind, options, number = KINDS.get(name), operator.table(4), operator.integer(3, "B")
    if kind is None:
        return {}, ()
    if options is None and number:
        raise TfliteError(f"an operator {name} names options that are not there")
    if number not in (0, kind.number) or (options is None and kind.needed):
        raise TfliteError(f"an operator {name} has no options of its own")
    found = {
        key: each.default
        if options is None
        else options.integer(each.field, each.form, each.default)
        for key, each in kind.fields.items()
    }
    for key, each in kind.fields.items():
        if (options is not None or kind.needed) and not each.low <= found[key] <= each.high:
            raise TfliteError(
                f"the option {key} of an operator {name} is {found[key]}, it has to be {each.low} "
                f"to {each.high}"
            )
    return found, options.integers(0) if options is not None and kind.vector else ()
