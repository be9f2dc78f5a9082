from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from core.serving.problems import Problem
from core.serving.protection import Protection
from tests.core.serving.test_application import predict, serving


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
def test_a_token_is_wanted_wherever_something_of_a_run_is_told(path):
    assert refused(Protection(token="right"), path) == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/", "/try/run", "/static/page.js"])
def test_health_and_the_page_that_asks_for_the_token_are_open(path):
    assert refused(Protection(token="right"), path) is None


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "", "localhost.evil.example"])
def test_a_name_that_somebody_else_points_at_the_server_is_refused(host):
    assert refused(Protection(), host=host) == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:8000", "LOCALHOST"])
def test_the_names_of_loopback_are_fine(host):
    assert refused(Protection(), host=host) is None


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:9999"])
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
