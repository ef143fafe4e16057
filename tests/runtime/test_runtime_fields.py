"""Fields of untrusted JSON: their ranges, and what is refused in which words."""

from __future__ import annotations

import pytest

from edge_vc_runtime.schema.fields import FieldError, Fields, parse_object


def test_numbers_and_their_ends() -> None:
    for value in (1, 3, 2):
        assert Fields({"n": value}).integer("n", 1, 3) == value
        assert Fields({"n": value}).number("n", 1, 3) == float(value)
    for value in (0, 4, True, "2", None, 2.5):
        with pytest.raises(FieldError, match=r"^n is .*, it has to be an integer from 1 to 3$"):
            Fields({"n": value}).integer("n", 1, 3)
    for value in (0.999, 3.001, False, "2", float("nan"), float("inf")):
        with pytest.raises(FieldError, match=r"it has to be a number from 1 to 3$"):
            Fields({"n": value}).number("n", 1, 3)


def test_texts_lists_and_their_ends() -> None:
    assert Fields({"t": "abc"}).text("t", "[a-c]*", 3) == "abc"
    for text in ("abcd", "abca", "x", "ab\n", 3, None):
        with pytest.raises(FieldError, match=r"^t is "):
            Fields({"t": text}).text("t", "[a-c]*", 3)
    assert Fields({"c": "b"}).choice("c", ("a", "b")) == "b"
    with pytest.raises(FieldError, match="it has to be one of a, b"):
        Fields({"c": "ab"}).choice("c", ("a", "b"))
    assert Fields({"l": [1, 2]}).items("l", 2) == [1, 2]
    for items in ([1, 2, 3], {}, "ab"):
        with pytest.raises(FieldError, match="a list of at most 2"):
            Fields({"l": items}).items("l", 2)
    with pytest.raises(FieldError, match=r"^l\[1\] is 3, an object belongs there"):
        Fields({"l": [{}, 3]}).children("l", 2)


def test_errors_shorten_what_they_repeat() -> None:
    with pytest.raises(FieldError) as caught:
        Fields({"t": "x" * 1000}).text("t", "a*", 2000)
    assert "'" + "x" * 59 + "..." in str(caught.value)
    with pytest.raises(FieldError, match=r"^t is 'x{58}', it"):
        Fields({"t": "x" * 58}).text("t", "a*", 2000)
    with pytest.raises(FieldError, match=r"^k{100} is missing"):
        Fields({}).take("k" * 100)
    with pytest.raises(FieldError, match=r"^'k{59}\.\.\. is missing"):
        Fields({}).take("k" * 101)
    with pytest.raises(FieldError, match=r"^a\.'b c' is missing"):
        Fields({"a": {}}).child("a").take("b c")


def test_objects_are_read_once_and_whole() -> None:
    fields = Fields({"a": 1, "b": None, "c": {}})
    assert fields.names() == ["a", "b", "c"]
    assert fields.integer("a", 0, 1) == 1
    assert fields.optional("b", Fields.rest) is None
    assert fields.optional("c", Fields.rest) == {}
    fields.done()
    with pytest.raises(FieldError, match="a is missing"):
        fields.take("a")
    with pytest.raises(FieldError, match="x is not a known key"):
        Fields({"x": 1}).done()
    with pytest.raises(FieldError, match="it is a list, an object belongs there"):
        Fields([])
    assert Fields({"a": [1.5]}).rest() == {"a": [1.5]}
    with pytest.raises(FieldError, match="holds a number that is not finite"):
        Fields({"a": [{"b": float("inf")}]}).rest()


def test_text_that_is_no_object() -> None:
    for data, fact in (
        (b'"a"', "holds 'a' where an object belongs"),
        (b"3", "holds 3 where an object belongs"),
        (b'{"a": {"b": 1, "b": 2}}', "has the key 'b' twice"),
        (b'{"a": -Infinity}', "holds -Infinity, which is not JSON"),
        (b'{"\xc3": 1}', "is not UTF-8 text (byte 2)"),
    ):
        with pytest.raises(FieldError) as caught:
            parse_object(data)
        assert str(caught.value) == fact
