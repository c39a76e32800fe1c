from __future__ import annotations

from pathlib import Path

from ldrps.serve.handout import Handed, Handout


def test_an_address_serves_the_browser_that_it_was_made_for_alone(picture: Path, tmp_path: Path) -> None:
    handout = Handout()
    token = handout.give("ann's", picture, "harbour.jpg")
    assert len(token) >= 32 and token == handout.give("ann's", picture, "harbour.jpg")
    assert token != handout.give("ben's", picture, "harbour.jpg") != handout.give("ben's", picture)
    assert handout.find("ann's", token) == Handed(picture, "harbour.jpg")
    for other in ("ben's", ""):
        assert handout.find(other, token) is None
    assert handout.find("ann's", "no such") is None


def test_what_is_gone_is_not_found(picture: Path, tmp_path: Path) -> None:
    handout = Handout()
    file = tmp_path / "visit" / "a.png"
    file.parent.mkdir()
    file.write_bytes(b"a")
    token, other = handout.give("ann's", file), handout.give("ann's", picture)
    handout.take_back(file.parent)
    assert handout.find("ann's", token) is None and handout.find("ann's", other) is not None
    picture.unlink()
    assert handout.find("ann's", other) is None
