"""Weights as the bytes of a safetensors file, which are the same for the same weights."""

from __future__ import annotations

import json
from collections.abc import Mapping

from safetensors.torch import save
from torch import Tensor

_LENGTH = 8
"""Bytes of the header's length; the header is padded to a multiple of this."""


def weights_bytes(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Return the file's bytes.

    The library writes several metadata entries in a different order each time, which would change
    the hash of the same weights and cause all labels to be made again. So the header is rewritten,
    in order.
    """
    data = save(dict(tensors), dict(metadata))
    end = _LENGTH + int.from_bytes(data[:_LENGTH], "little")
    header = json.loads(data[_LENGTH:end])
    told = {"__metadata__": dict(sorted(header.pop("__metadata__", {}).items()))}
    places = dict(sorted(header.items(), key=lambda item: item[1]["data_offsets"]))
    text = json.dumps(told | places, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _LENGTH)
    return len(text).to_bytes(_LENGTH, "little") + text + data[end:]
