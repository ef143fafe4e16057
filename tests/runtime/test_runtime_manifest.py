"""Every value of a manifest, at its last allowed value and one beyond."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from runtime_bundles import mini_contents

from edge_vc_runtime.bundle.manifest import BundleError, Manifest


def parsed(change: Callable[[dict[str, Any]], object]) -> Manifest:
    """Read a manifest that ``change`` edited, with a digest that is right again."""
    document = json.loads(mini_contents()[0].to_json())
    change(document)
    document["digest"] = "0" * 64
    blank = json.dumps(document).encode()
    digest = hashlib.sha256(blank).hexdigest().encode()
    return Manifest.from_json(blank.replace(b"0" * 64, digest, 1))


def put(*keys: str | int) -> Callable[[Any], Callable[[dict[str, Any]], None]]:
    """Return a function of a value that makes the edit of one place in the manifest."""

    def at(value: Any) -> Callable[[dict[str, Any]], None]:
        def edit(document: dict[str, Any]) -> None:
            inner: Any = document
            for key in keys[:-1]:
                inner = inner[key]
            inner[keys[-1]] = value

        return edit

    return at


def states(count: int) -> list[dict[str, Any]]:
    return [{"name": f"s{n}", "shape": [1], "dtype": "float32"} for n in range(count)]


def models(count: int) -> list[dict[str, Any]]:
    (first, *_) = json.loads(mini_contents()[0].to_json())["models"]
    return [first | {"precision": "fp32", "file": "model.fp32.onnx"}] * count


FP32_ENTRY = ("files", "model.fp32.onnx")


@pytest.mark.parametrize(
    ("place", "allowed", "beyond"),
    [
        (put("format_version"), [1], [0, 2]),
        (put("name"), ["n" * 64, "N-_.9"], ["n" * 65, "", "-n", "n\n"]),
        (put("version"), ["1", "1.2.3.4", "1.0rc1"], ["", "v1", ".1", "1 0", "1" + "a" * 33]),
        (put("sample_rate"), [4000, 192_000], [3999, 192_001, 16000.0, True]),
        (put("hop"), [1, 16000], [0, 16001, 160.0]),
        (put("delay"), [0, 1_920_000], [-1, 1_920_001]),
        (put("states"), [states(0), states(1024)], [states(1025), {}, states(1) * 2]),
        (put("states", 0, "name"), ["n" * 200, "a_.9"], ["n" * 201, "", "a-b", "count"]),
        (put("states", 0, "shape"), [[1] * 8, [1 << 20], []], [[1] * 9, [(1 << 20) + 1], [0]]),
        (put("states", 0, "shape"), [[2]], [[True], [1.0], ["1"], None]),
        (put("models"), [models(1), models(16)], [models(17), models(0)]),
        (put("models", 0, "precision"), ["fp16", "dynamic-int8"], ["fp8", None]),
        (put("models", 0, "format"), ["onnx", "tflite"], ["pt", ""]),
        (put("models", 0, "tier"), ["t" * 32], ["t" * 33, ""]),
        (put("models", 0, "parameters"), [0, 1 << 40], [-1, (1 << 40) + 1]),
        (put("models", 0, "macs_per_second"), [0, float(1 << 50)], [-1, float(1 << 51), "1"]),
        (put("models", 0, "macs_per_second"), [0.5], [-1e-9, (1 << 50) + 1, True]),
        (put("models", 0, "quantization"), [None, {"a": [1]}], [3, {"a": 1e999}]),
        (put("models", 0, "surprise"), [], [1]),
        (put("states", 0, "surprise"), [], [1]),
        (put("golden", "surprise"), [], [1]),
        (put(*FP32_ENTRY, "surprise"), [], [1]),
        (put("golden", "tolerance"), [{"fp32": 0}, {"int8": 1}], [{"fp32": -1e-9}, {"a": 1.1}, {}]),
        (put("golden"), [None], [3, {}]),
        (put("runtimes"), [{"a": "1"}, {"n" * 200: "1"}, {}], [{"a": "x"}, {"n" * 201: "1"}]),
        (put("runtimes"), [{"a": "1." + "0" * 3}], [{"-a": "1"}, {"a": 1}]),
        (put("boards"), [["b"] * 64, ["b" * 64]], [["b"] * 65, ["b" * 65], [""], [], [1]]),
        (put("licence"), ["l" * 200, ""], ["l" * 201, "a\0", "a\nb"]),
        (put("consent"), ["c" * 4000, "a\nb\t"], ["c" * 4001, "\x07", "\x7f"]),
        (put("consent"), ["\u00e9\u00a0\u00bb"], ["\x9b31m", "\u202e", "\u2028"]),
        (put("boards"), [["b c"]], [["a\nengine: x"], ["\x1b[2J"], ["\ud800"]]),
        (put("metrics"), [{"a b": 1}], [{"a\nengine": 1}, {"\x1b[31m": 1}, {"m": 10**400}]),
        (put("states", 0, "shape"), [[1 << 20, 7]], [[1 << 20, 9]]),
        (put("metrics"), [{"m": -1e300}, {"m": 1e300}], [{"m": 1.1e300}, {"m": -1.1e300}]),
        (put("metrics"), [{"m": 3}], [{"m": True}, {"m": None}, []]),
        (put("provenance"), [{}, {"a": {"b": [1.5, None]}}], [{"a": {"b": [1e999]}}, []]),
        (put(*FP32_ENTRY, "size"), [0, 1 << 30], [-1, (1 << 30) + 1]),
        (put(*FP32_ENTRY, "sha256"), ["0f" * 32], ["0f" * 31, "0F" * 32, "0f" * 33]),
        (put("files", "f" * 100), [{"sha256": "0" * 63 + "1", "size": 1}], [{}, 1]),
        (put("files", "f" * 101), [], [{"sha256": "0" * 63 + "1", "size": 1}]),
        (put("files", "manifest.json"), [], [{"sha256": "0" * 63 + "1", "size": 1}]),
        (put("files", "manifest.sig"), [], [{"sha256": "0" * 63 + "1", "size": 1}]),
        (put("default"), ["model.fp32.onnx", "model.int8.onnx"], ["golden.npz", ""]),
        (put("golden", "file"), ["model.fp32.onnx"], ["other.npz", "../golden.npz"]),
        (put("models", 0, "file"), ["model.fp32.onnx"], ["other.onnx", "a/b"]),
        (put("surprise"), [], [None]),
    ],
)  # fmt: skip
def test_values_of_a_manifest(
    place: Callable[[Any], Callable[[dict[str, Any]], None]],
    allowed: list[Any],
    beyond: list[Any],
) -> None:
    for value in allowed:
        parsed(place(value))
    for value in beyond:
        with pytest.raises(BundleError, match=r"^manifest\.json: ") as caught:
            parsed(place(value))
        assert len(str(caught.value)) < 400
        assert "\n" not in str(caught.value)


KEYS = sorted(json.loads(mini_contents()[0].to_json()))


@pytest.mark.parametrize("key", [key for key in KEYS if key != "digest"])
def test_every_key_is_required(key: str) -> None:
    with pytest.raises(BundleError, match=rf"^manifest\.json: {key} is missing"):
        parsed(lambda document: document.pop(key))


def test_one_second_is_the_longest_hop() -> None:
    manifest = parsed(lambda document: document.update(hop=16000, sample_rate=16000, delay=0))
    assert manifest.algorithmic_ms == 1000.0
    with pytest.raises(BundleError, match="hop is 16001 samples, more than one second"):
        parsed(lambda document: document.update(hop=16001))


def test_a_wrong_digest_is_refused() -> None:
    document = json.loads(mini_contents()[0].to_json())
    document["digest"] = "1" * 64
    with pytest.raises(BundleError, match="does not match its own digest"):
        Manifest.from_json(json.dumps(document).encode())


def test_a_metric_that_is_no_number_is_not_written() -> None:
    manifest = replace(mini_contents()[0], metrics={"m": float("nan")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        manifest.to_json()
