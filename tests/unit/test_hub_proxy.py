"""The pages behind a proxy: whose word is taken for where a reader comes from, and the links in what is sent."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask, make_response, request
from flask.typing import ResponseReturnValue

from contract.settings import BadSettings
from hub import owed
from hub.config import HubSettings, Located, Web, load
from hub.rules.alerting import Level
from hub.store import migrate, open_store
from hub.store.supervision import failures
from hub.web import create_app, security

SAID = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(made)
    yield made
    made.dispose()


def app(engine: sa.Engine, folder: Path, **web: object) -> Flask:
    return create_app(Located(HubSettings(web=Web(secure_cookies=False, **web)), folder), engine, now=lambda: NOW)  # type: ignore[arg-type]


def tries(made: Flask, engine: sa.Engine) -> list[str]:
    """From where a wrong password came, as the hub took it."""
    client = made.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/sign-in").text)
    assert token
    form = {"account": "li", "password": "wrong", "csrf_token": token[1]}
    assert client.post("/sign-in", data=form, headers=SAID | {"Referer": "https://localhost/sign-in"}).status_code == 401
    with engine.connect() as conn:
        return list(conn.scalars(sa.select(failures.c.address)))


@pytest.mark.parametrize(("proxies", "address"), [(0, "127.0.0.1"), (1, "198.51.100.7"), (2, "203.0.113.9")])
def test_an_address_is_what_the_last_trusted_proxy_says(engine: sa.Engine, tmp_path: Path, proxies: int, address: str) -> None:
    assert tries(app(engine, tmp_path, trusted_proxies=proxies), engine) == [address]


@pytest.mark.parametrize(("proxies", "seen"), [(0, "http://localhost/sign-in"), (1, "https://localhost/sign-in")])
def test_the_scheme_is_a_trusted_proxys_word_and_the_host_is_no_forwarded_one(
    engine: sa.Engine, tmp_path: Path, proxies: int, seen: str
) -> None:
    with app(engine, tmp_path, trusted_proxies=proxies).test_client() as client:
        client.get("/sign-in", headers=SAID)
        assert request.base_url == seen


def test_a_view_may_ask_for_a_stricter_referrer_policy_and_for_no_looser_one_of_the_others() -> None:
    made = Flask(__name__)

    @made.get("/strict")
    def strict() -> ResponseReturnValue:
        answer = make_response("")
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["X-Frame-Options"] = "SAMEORIGIN"
        return answer

    made.add_url_rule("/plain", "plain", lambda: "")
    security.protect(made, secure=False)
    strict_headers, plain = (made.test_client().get(path).headers for path in ("/strict", "/plain"))
    assert (strict_headers["Referrer-Policy"], strict_headers["X-Frame-Options"]) == ("no-referrer", "DENY")
    assert plain["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("trusted_proxies = -1", "web.trusted_proxies"),
        ("trusted_proxies = true", "web.trusted_proxies"),
        ("public_url = 'hub.example.org'", "web.public_url"),
        ("public_url = 'https://hub.example.org/?a=b'", "web.public_url"),
        ("public_url = 'javascript://x'", "web.public_url"),
    ],
)
def test_settings_that_cannot_be_are_named(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / "hub.toml").write_text(f"[web]\n{text}\n", encoding="utf-8")
    with pytest.raises(BadSettings, match=key):
        load(tmp_path / "hub.toml")


@pytest.mark.parametrize(
    ("url", "end"),
    [
        ("https://hub.example.org", "查看:https://hub.example.org/alerts"),
        ("https://10.0.0.5:8443/gatepost/", "查看:https://10.0.0.5:8443/gatepost/alerts"),
        ("", "编号 1"),
    ],
)
def test_what_is_sent_links_to_the_pages_where_it_is_known_where_they_are(tmp_path: Path, url: str, end: str) -> None:
    message = owed.Message(title="t", body="编号 1", level=Level.ALARM)
    (tmp_path / "hub.toml").write_text(f"[web]\npublic_url = '{url}'\n", encoding="utf-8")
    assert owed._linked(message, load(tmp_path / "hub.toml")).body.splitlines()[-1] == end
