"""Who is let in: host names, origins, the token, and the headers of every answer."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from serve_client import HOST, LIVE, Client
from starlette.websockets import WebSocketDisconnect

from edge_vc.serve.access import AccessRules, host_name, rules_for
from edge_vc.serve.address import describe_address, page_address
from edge_vc.serve.application import PAGE
from edge_vc.serve.options import ServeOptions


@pytest.mark.parametrize("path", [*PAGE, "/facts"])
def test_the_page_is_served_with_strict_headers(client: Client, path: str) -> None:
    answer = client().get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_the_page_asks_nobody_else(client: Client) -> None:
    for path in PAGE:
        text = client().get(path).text
        assert "http://" not in text.replace("http://www.w3.org", "")
        assert "https://" not in text
        assert "innerHTML" not in text
        assert "eval(" not in text


@pytest.mark.parametrize("path", ["/page/index.html", "/../cli.py", "/nothing", "/page.js/"])
def test_nothing_else_can_be_asked_for(client: Client, path: str) -> None:
    answer = client().get(path, follow_redirects=False)
    assert answer.status_code in (307, 404)
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "192.168.1.5", "", "a b"],
)
def test_a_rebound_name_is_refused(client: Client, host: str) -> None:
    answer = client().get("/", headers={"host": host, "origin": f"http://{host}"})
    assert answer.status_code == 403
    assert "--name" in answer.text


@pytest.mark.parametrize("host", ["localhost:8765", "localhost:9", "127.0.0.1", "[::1]:8765"])
def test_names_of_this_machine_are_known(client: Client, host: str) -> None:
    headers = {"host": host, "origin": f"http://{host}"}
    assert client().get("/facts", headers=headers).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "", HOST])
def test_other_pages_are_refused(client: Client, origin: str) -> None:
    made = client()
    answer = made.post("/convert", content=b"x", headers={"origin": origin})
    assert answer.status_code == 403
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        made.websocket_connect(LIVE, headers={"origin": origin}),
    ):
        pass
    assert closed.value.code == 1008


def test_a_socket_needs_an_origin_and_a_program_needs_none(client: Client) -> None:
    made = client()
    del made.headers["origin"]
    with pytest.raises(WebSocketDisconnect), made.websocket_connect(LIVE):
        pass
    assert made.post("/convert", content=b"no audio").status_code == 422


def test_beyond_loopback_a_token_is_needed(client: Client) -> None:
    rules = rules_for("0.0.0.0", 8765)
    assert len(rules.token) >= 32
    assert rules.token != rules_for("0.0.0.0", 8765).token
    made = client(rules)
    for path in (*PAGE, "/facts", "/?token=", "/?token=x", f"/?token={rules.token}x"):
        answer = made.get(path, follow_redirects=False)
        assert answer.status_code == 403
        assert "content-security-policy" in answer.headers
    assert made.post("/convert", content=b"x").status_code == 403
    assert made.get(f"/facts?token={rules.token}").status_code == 403
    with pytest.raises(WebSocketDisconnect), made.websocket_connect(LIVE):
        pass


def test_the_token_becomes_a_cookie_and_leaves_the_address(client: Client) -> None:
    rules = AccessRules(frozenset({"127.0.0.1"}), token="s3cret", cookie="edge_vc_1")
    made = client(rules)
    answer = made.get("/?token=s3cret", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    for part in ("edge_vc_1=s3cret", "httponly", "samesite=lax"):
        assert part in cookie
    assert made.get("/").status_code == 200
    with made.websocket_connect(LIVE):
        pass
    assert made.get("/", headers={"cookie": "edge_vc_1=other"}).status_code == 403
    secure = client(rules, cert="c.pem").get("/?token=s3cret", follow_redirects=False)
    assert "secure" in secure.headers["set-cookie"].lower()


def test_addresses_stand_for_themselves_where_a_token_protects() -> None:
    rules = rules_for("0.0.0.0", 1, ("Studio.Example",))
    for host in ("192.168.1.5:1", "[fe80::1]:1", "studio.example", "localhost"):
        assert rules.check_host(host) == ""
    for host in ("evil.example", "192.168.1.5.evil.example", "[fe80::1", "1:2:3"):
        assert rules.check_host(host)


@pytest.mark.parametrize(
    ("host", "name"),
    [("Localhost:80", "localhost"), ("[::1]", "::1"), ("a/b", ""), ("a@b", ""), ("a:99999999", "")],
)
def test_host_headers_are_taken_apart(host: str, name: str) -> None:
    assert host_name(host) == name


def test_the_printed_address_opens_the_page() -> None:
    url = urlsplit(page_address(ServeOptions(host="192.168.1.5"), 8000, "s3cret"))
    assert (url.scheme, url.netloc, parse_qs(url.query)) == (
        "http",
        "192.168.1.5:8000",
        {"token": ["s3cret"]},
    )
    assert page_address(ServeOptions(), 8000, "") == "http://127.0.0.1:8000/"
    assert page_address(ServeOptions(host="::1"), 8000, "") == "http://[::1]:8000/"


def test_the_terminal_says_when_there_will_be_no_microphone() -> None:
    lines = " ".join(describe_address(ServeOptions(host="0.0.0.0"), 8000))
    for part in ("no microphone", "--cert", "--key", "ssh -L 8000:localhost:8000"):
        assert part in lines
    assert "no microphone" not in " ".join(describe_address(ServeOptions(), 8000))
