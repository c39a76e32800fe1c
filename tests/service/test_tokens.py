from __future__ import annotations

import pytest
from conftest import Run

from ldrps.errors import SettingsError
from ldrps.service.problems import Problem
from ldrps.service.tokens import Tokens, tokens_of, warning_of_service


def test_each_token_is_an_owner_and_none_is_everybodys() -> None:
    tokens = Tokens(["token-of-ann", "token-of-bob"])
    ann, bob = (tokens.owner(f"bearer token-of-{name}") for name in ("ann", "bob"))
    assert ann and bob and ann != bob and "ann" not in ann
    assert Tokens(["token-of-ann"]).owner("Bearer token-of-ann") == ann  # of the next server too
    assert Tokens().owner(None) == Tokens().owner("Bearer token-of-ann") == ""
    for wrong in (None, "", "Bearer", "Bearer ", "Bearer token-of-an", "Basic token-of-ann", "Bearer \udcff"):
        with pytest.raises(Problem, match="token"):
            tokens.owner(wrong)


def test_tokens_are_those_given_and_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LDRPS_TOKENS", " token-of-ann, token-of-bob\n")
    assert tokens_of(["token-of-eve"]) == ["token-of-eve", "token-of-ann", "token-of-bob"]
    monkeypatch.delenv("LDRPS_TOKENS")
    assert tokens_of([]) == []


@pytest.mark.parametrize("token", ["short", "with a space", "über-token"])
def test_one_that_cannot_be_is_refused_and_not_repeated(token: str, command: Run) -> None:
    with pytest.raises(SettingsError) as refused:
        Tokens([token])
    assert token not in str(refused.value)
    code, _, err = command("serve", "--token", token)
    assert code == 2 and "a token has" in err and token not in err


def test_who_lets_everybody_in_is_told() -> None:
    assert "LDRPS_TOKENS" in warning_of_service("0.0.0.0", [])
    assert warning_of_service("0.0.0.0", ["token-of-ann"]) == warning_of_service("127.0.0.1", []) == ""
