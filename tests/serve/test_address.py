from __future__ import annotations

import socket

import pytest

from ldrps.errors import SettingsError
from ldrps.serve.address import check_address, is_loopback, parse_auth, warning


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)
    assert warning(host, None, share=False) == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_others_are_warned_of(host: str) -> None:
    assert not is_loopback(host)
    assert f"anyone who can reach {host}" in warning(host, None, share=False)
    assert warning(host, ("ann", "x"), share=False) == ""


def test_a_shared_page_is_warned_of_even_at_home() -> None:
    assert "anyone on the internet" in warning("127.0.0.1", None, share=True)


def test_user_and_password() -> None:
    assert parse_auth("") is None
    assert parse_auth("ann:a:b") == ("ann", "a:b")
    for bad in ("secret", ":secret", "secret:"):
        with pytest.raises(SettingsError) as refused:
            parse_auth(bad)
        assert "secret" not in str(refused.value)


def test_an_address_that_cannot_be_had() -> None:
    check_address("127.0.0.1", 0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"cannot serve at 127\.0\.0\.1:{port} .*another --host or --port"):
            check_address("127.0.0.1", port)
    check_address("127.0.0.1", port)
    for host in ("192.0.2.7", "x" * 300):  # of nobody's machine, and no name at all
        with pytest.raises(SettingsError, match="cannot serve at"):
            check_address(host, 0)
