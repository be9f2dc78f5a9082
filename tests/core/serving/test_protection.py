from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest
from starlette.datastructures import Headers

from core.serving.problems import Problem
from core.serving.protection import Protection, hosts_for, takes_addresses
from tests.core.serving.test_application import SETTINGS, predict, serving

JSON = {"Content-Type": "application/json"}


def refused(protection: Protection, path: str = "/v1/run/predict", **headers: str) -> int | None:
    """Return the status that a request is refused with."""
    try:
        protection.check(path, "POST", Headers({"host": "localhost:8000", **headers}))
    except Problem as problem:
        return problem.status
    return None


def test_a_server_without_a_token_lets_its_own_page_call_it():
    assert refused(Protection()) is None
    assert refused(Protection(), origin="http://localhost:8000") is None


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Basic right", "right", "Bearer right2", "Bearer é"])
def test_a_wrong_token_is_refused(given):
    assert refused(Protection(token="right"), authorization=given) == 401


def test_the_right_token_passes():
    assert refused(Protection(token="right"), authorization="bearer right") is None


@pytest.mark.parametrize(
    "path", ["/v1/run/predict", "/v1/run/choices/user", "/metrics", "/docs", "/openapi.json"]
)
def test_a_token_is_wanted_wherever_something_of_a_run_is_shown(path):
    assert refused(Protection(token="right"), path) == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/page.js"])
def test_health_and_what_holds_nothing_of_a_run_are_open(path):
    assert refused(Protection(token="right"), path) is None


@pytest.mark.parametrize("path", ["/", "/try/run"])
def test_the_page_wants_the_token_too_unless_it_is_public(path):
    assert refused(Protection(token="right"), path) == 401
    assert refused(Protection(token="right", public_page=True), path) is None


def test_a_browser_asks_for_the_token_and_sends_it_as_a_password(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch, token="ri:ght") as client:
        asked = client.get("/")
        assert asked.status_code == 401
        assert asked.headers["WWW-Authenticate"].startswith("Basic realm=")
        page = client.get("/", auth=("anybody", "ri:ght"))
        assert page.status_code == 200
        assert 'id="token"' not in page.text
        answer = client.post("/v1/lengths/predict", json={"inputs": ["a"]}, auth=("", "ri:ght"))
        assert answer.status_code == 200
        assert client.get("/", auth=("ri:ght", "wrong")).status_code == 401


def test_a_public_page_asks_for_the_token_itself(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch, token="right", public_page=True) as client:
        assert 'id="token"' in client.get("/").text


@pytest.mark.parametrize("given", ["Basic", "Basic !", "Basic cmlnaHQ=", "Basic eDp3cm9uZw==", "Basic /w=="])
def test_a_password_that_is_not_the_token_is_refused(given):
    assert refused(Protection(token="right"), authorization=given) == 401


@pytest.mark.parametrize(
    "host",
    [
        "evil.com@localhost",
        "[::1",
        "[",
        "local host",
        "localhost:x",
        "localhost:",
        "a/b",
        "é",
        "localhost,evil.com",
    ],
)
def test_a_host_that_is_none_is_a_bad_request(host):
    assert refused(Protection(), host=host) == 400


def test_two_hosts_are_a_bad_request():
    with pytest.raises(Problem) as caught:
        Protection().check("/", "GET", Headers(raw=[(b"host", b"localhost"), (b"host", b"evil.example")]))
    assert caught.value.status == 400


def test_a_server_for_all_addresses_is_called_by_addresses_and_by_names_that_were_allowed():
    protection = Protection(
        hosts=hosts_for("0.0.0.0", ["Models.example"]), addresses=takes_addresses("0.0.0.0")
    )
    for host in ("192.168.1.5:8000", "[fe80::1]:8000", "localhost", "models.example:8000"):
        assert refused(protection, host=host) is None
    for host in ("evil.example", "192.168.1.5.evil.example", "1"):
        assert refused(protection, host=host) == 421


def test_a_server_for_one_address_is_called_by_it():
    protection = Protection(hosts=hosts_for("192.168.1.5", []), addresses=takes_addresses("192.168.1.5"))
    assert refused(protection, host="192.168.1.5:8000") is None
    assert refused(protection, host="192.168.1.6:8000") == 421


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "", "localhost.evil.example"])
def test_a_name_that_somebody_else_points_at_the_server_is_refused(host):
    assert refused(Protection(), host=host) == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:8000", "LOCALHOST"])
def test_the_names_of_loopback_are_fine(host):
    assert refused(Protection(), host=host) is None


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://localhost:9999",
        "http://[",
        "http://evil@localhost:8000",
        "localhost:8000",
        "ftp://localhost:8000",
        "",
    ],
)
def test_pages_of_other_origins_are_refused(origin):
    assert refused(Protection(), origin=origin) == 403


def test_pages_of_an_allowed_origin_may_read_the_answer(tmp_path, monkeypatch):
    origins = frozenset({"https://a.example"})
    with serving(tmp_path, monkeypatch, origins=origins) as client:
        headers = {"Origin": "https://a.example"}
        response = client.post("/v1/lengths/predict", json={"inputs": ["a"]}, headers=headers)
        assert response.headers["Access-Control-Allow-Origin"] == "https://a.example"
        asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        assert client.options("/v1/lengths/predict", headers=asked).status_code == 200


def test_no_other_origin_may_read_anything_by_default(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch) as client:
        response = client.get("/healthz", headers={"Origin": "https://a.example"})
    assert response.status_code == 403
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_refusal_says_how_to_ask(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch, token="right") as client:
        response = predict(client, ["a"])
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.json()["field"] == "authorization"


def test_every_answer_keeps_browsers_from_running_what_is_not_ours(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch) as client:
        for path in ("/", "/docs", "/nowhere", "/healthz"):
            headers = client.get(path).headers
            assert "default-src 'self'" in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"


def test_more_requests_than_may_be_under_way_are_told_to_come_back(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch, requests=0) as client:
        response = predict(client, ["a"])
        assert client.get("/healthz").status_code == 200
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"


def test_bodies_under_way_are_bounded_together(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch, bodies_bytes=1000) as client:
        for _ in range(3):  # what was answered counts no more
            assert predict(client, ["a" * 90] * 4).status_code == 200
        response = client.post("/v1/sums/predict", content=b"a" * 1200, headers=JSON)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize(
    "body",
    [b'{"inputs": ["a"], "inputs": ["b"]}', b'{"inputs": [{"user": "1", "user": "2"}]}'],
)
def test_a_body_with_a_key_twice_is_refused(tmp_path, monkeypatch, body):
    run = "tastes" if b"user" in body else "lengths"
    with serving(tmp_path, monkeypatch) as client:
        response = client.post(f"/v1/{run}/predict", content=body, headers=JSON)
    assert response.status_code == 422
    assert "twice" in response.json()["error"]


@pytest.mark.parametrize("root", ["", "/app"])
def test_under_a_path_of_a_proxy_every_link_of_the_page_leads_back_to_the_server(tmp_path, monkeypatch, root):
    settings = SETTINGS.model_copy(update={"root_path": root})
    with serving(tmp_path, monkeypatch, settings) as client:
        for page in ("/", "/try/sums", "/docs"):
            # A browser at http://proxy/app/try/sums takes a link from there; the proxy takes /app off again.
            text = client.get(page).text
            links = re.findall(r'(?:href|src)="([^"#]+)"', text)
            assert links
            for link in links:
                there = urljoin(f"http://localhost/app{page}", link)
                assert there.startswith("http://localhost/app/")
                assert client.get(there.removeprefix("http://localhost/app")).status_code == 200, there


def test_under_a_path_requests_may_come_with_it_and_documents_tell_it(tmp_path, monkeypatch):
    settings = SETTINGS.model_copy(update={"root_path": "/app"})
    with serving(tmp_path, monkeypatch, settings) as client:
        for path in ("/app/", "/app", "/app/try/sums", "/app/static/page.js", "/app/docs", "/static/page.js"):
            assert client.get(path).status_code == 200, path
        assert client.post("/app/v1/lengths/predict", json={"inputs": ["a"]}).status_code == 200
        assert client.get("/application").status_code == 404
        assert client.get("/openapi.json").json()["servers"] == [{"url": "/app"}]
        assert "curl http://localhost/app/v1/lengths/predict" in client.get("/docs").text
