"""Requests on a control connection and their replies."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from edge_vc_runtime.chain.error import ChainError
from edge_vc_runtime.chain.model_inputs import spread_groups
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.control.error import ControlError

LONGEST_LINE = 4096
"""Maximum bytes of a request or reply, including the newline."""
_DEEPEST = 8

Status = Callable[[], Mapping[str, object]]
"""Returns a run's status as JSON values."""
Answer = dict[str, object]


class ControlRequests:
    """Answers requests, one JSON object per line each way.

    ``{"get": "pitch"}`` or ``{"get": null}`` for all, ``{"set": {"pitch": 2}}``,
    ``{"status": true}``, ``{"describe": true}``. The reply has ``"ok": true`` and the values, or
    ``"error"`` with one line; a request that is partly invalid changes nothing.
    """

    def __init__(self, parameters: Parameters, status: Status) -> None:
        self._parameters = parameters
        self._status = status

    def answer(self, line: bytes) -> bytes:
        """Return the reply to one line, including the newline."""
        try:
            reply = self._reply(_parse(line))
        except (ChainError, ControlError) as error:
            reply = {"error": str(error)}
        return json.dumps(reply, separators=(",", ":"), allow_nan=False).encode() + b"\n"

    def _reply(self, request: Mapping[str, object]) -> Answer:
        if len(request) != 1:
            raise ControlError("expected one of get, set, status, describe in a request")
        ((word, value),) = request.items()
        if word == "get":
            return {"ok": True, "values": self._get(value)}
        if word == "set":
            return {"ok": True, "values": self._set(value)}
        if word == "status":
            return {"ok": True, "status": dict(self._status())}
        if word == "describe":
            return {"ok": True, "parameters": self._describe()}
        raise ControlError(f"unknown request {word[:40]!a}; use get, set, status or describe")

    def _get(self, name: object) -> dict[str, float]:
        if name is None or name is True:
            return self._parameters.as_dict()
        if not isinstance(name, str):
            raise ControlError("get: expected the name of a parameter, or null for all")
        found = self._parameters.find(name).name
        return {found: self._parameters[found]}

    def _set(self, changes: object) -> dict[str, float]:
        if not isinstance(changes, dict) or not changes:
            raise ControlError('set: expected an object, {"set": {"pitch": 2}}')
        checked = {}
        for name, value in spread_groups(self._parameters, changes).items():
            parameter = self._parameters.find(name)
            checked[parameter.name] = parameter.check(value)
        for name, number in checked.items():
            self._parameters.set(name, number)
        return checked

    def _describe(self) -> list[Answer]:
        return [
            {"name": p.name, "unit": p.unit, "low": p.low, "high": p.high, "step": p.step}
            for p in self._parameters.declared.values()
        ]


def _parse(line: bytes) -> Mapping[str, object]:
    if len(line) > LONGEST_LINE:
        raise ControlError(f"a request is longer than {LONGEST_LINE} bytes")
    if max(line.count(b"["), line.count(b"{")) > _DEEPEST:
        raise ControlError("a request is nested too deeply")
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ControlError('expected one JSON object per line, {"status": true}') from error
    if not isinstance(request, dict):
        raise ControlError('expected a JSON object, {"status": true}')
    return request
