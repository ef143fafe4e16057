"""Serialisation of TFLite's schema objects, with aligned buffers."""

from __future__ import annotations

from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

IDENTIFIER = b"TFL3"
ALIGNMENT = 16
"""In bytes; required by the schema for every buffer; makes vector loads fast."""


class AlignedBuffer(schema.BufferT):  # type: ignore[misc]  # the schema has no types
    """A buffer at a multiple of `ALIGNMENT`; the schema's own packing does not align."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.data = data

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802 - the schema's name
        """Write the bytes and their table; return its offset."""
        place = None
        if self.data:
            builder.StartVector(1, len(self.data), ALIGNMENT)
            builder.head -= len(self.data)
            builder.Bytes[builder.head : builder.head + len(self.data)] = self.data
            place = builder.EndVector()
        schema.BufferStart(builder)
        if place is not None:
            schema.BufferAddData(builder, place)
        return int(schema.BufferEnd(builder))


def unpack(data: bytes) -> Any:
    """Return a file's schema object; the file must have been checked."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))


def pack(model: Any) -> bytes:
    """Return a schema object as a file."""
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())
