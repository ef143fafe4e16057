"""YAML as data: strings, numbers, lists and mappings, within limits, without duplicate keys."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from edge_vc_boards.flash.error import FlashError

PlainValue = None | bool | int | float | str | list["PlainValue"] | dict[str, "PlainValue"]
_MOST = 200_000
"""Values in a document, counting each repetition by an alias."""


def read_plain_yaml(text: str) -> PlainValue:
    """Return the single document of a text; raises `FlashError`.

    Tags are rejected, so that the result can only be data.
    """
    try:
        yaml = import_module("yaml")
    except ModuleNotFoundError as error:
        raise FlashError("YAML needs PyYAML: pip install 'edge-vc[ansible]'") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        return None if node is None else _Reader(yaml).value(node)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, FlashError):
            raise
        line = " ".join(str(error).split())
        raise FlashError(f"is not YAML: {line[:200] or type(error).__name__}") from error


class _Reader:
    """Converts nodes to values and counts them."""

    def __init__(self, yaml: Any) -> None:
        self._nodes = yaml.nodes
        self._scalars = yaml.SafeLoader("")
        self._count = 0

    def value(self, node: Any) -> PlainValue:
        self._count += 1
        if self._count > _MOST:
            raise FlashError(f"holds more than {_MOST} values")
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if isinstance(node, self._nodes.SequenceNode) and kind == "seq":
            return [self.value(each) for each in node.value]
        if isinstance(node, self._nodes.MappingNode) and kind == "map":
            return self._mapping(node)
        if kind in ("str", "int", "bool", "null", "float"):
            found: PlainValue = self._scalars.construct_object(node)
            return found
        if kind == "timestamp":
            return str(node.value)
        line = node.start_mark.line + 1
        raise FlashError(f"line {line}: {node.tag!r:.60} is not a plain value")

    def _mapping(self, node: Any) -> dict[str, PlainValue]:
        found: dict[str, PlainValue] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if not isinstance(key, self._nodes.ScalarNode) or key.tag.endswith(":merge"):
                raise FlashError(f"line {line}: a key has to be plain text")
            if name in found:
                raise FlashError(f"line {line}: {name!r:.60} is there twice")
            found[name] = self.value(value)
        return found
