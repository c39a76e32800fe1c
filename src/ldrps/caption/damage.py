"""Taking what a text says about damage out of it, so that the rest can still be read."""

from __future__ import annotations

import re

_DEGREE = (
    r"(?:(?:very|slightly|somewhat|quite|rather|extremely|heavily|severely|partly|partially|mostly|badly|too|so|"
    r"a bit|a little|low-key|overly|visibly|highly|pretty)\s+)*"
)
_PICTURE = r"(?:image|photo|photograph|picture|shot|snapshot)"
_WORD = (
    r"(?:blurry|blurred|unfocused|out[- ]of[- ]focus|dark|darkened|dim|dimly[- ]lit|poorly[- ]lit|noisy|grainy|hazy|"
    r"under-?exposed|over-?exposed|pixelated|pixellated|compressed|faded|(?:low|poor|bad)[- ](?:quality|light|"
    rf"resolution|contrast)|foggy(?=\s+{_PICTURE}\b))(?![-\w])"
)
_DAMAGED = rf"\b{_DEGREE}{_WORD}"
_JOIN = r"(?:\s*,\s*(?:(?:and|or|but|yet)\s+)?|\s+(?:and|or|but|yet)\s+|\s+)"
_OR_FOGGY = rf"(?:{_DEGREE}(?:{_WORD}|foggy\b))"
_LIST = re.compile(
    rf"(?:\bfoggy{_JOIN}(?={_DAMAGED}))?{_DAMAGED}(?:{_JOIN}{_OR_FOGGY})*", re.IGNORECASE
)  # "dark, blurry and foggy"
_THING = (
    r"(?:(?:the|an?|some|much|heavy|thick|thin|light|dense|strong|slight|visible|severe|noticeable|lots? of|motion|"
    r"image|digital|film|jpe?g)\s+)*(?:haze|blur|blurriness|noise|grain(?=\s*[,.;]|$)|graininess|darkness|dimness|pixelation|"
    r"compression(?:\s+artifacts?)?|artifacts?)(?:\s+(?:and|or)\s+(?:haze|blur|noise|grain|fog|darkness))*(?![-\w])"
)
_LIGHT = (
    r"(?:(?:the|an?|very|quite)\s+)*(?:(?:low|poor|dim|bad)[- ]light(?:ing)?(?:\s+conditions?)?|"
    r"(?:low|poor|bad)[- ](?:quality|resolution|contrast)|dark(?=\s*[,.;]|\s*$|\s+(?:with|and)\s)|underexposure|"
    r"overexposure)(?![-\w])(?!\s+(?!(?:with|and|of|on|in|at|near|by|under)\b)[a-z])"
)
_AROUND = (
    r"(?:(?:covered|shrouded|obscured|surrounded|veiled|enveloped|softened|seen|taken|shot|captured|hidden)\s+)?"
    r"(?:with|in|under|through|amid|behind|by|at|of|due to|because of|from|during)"
)
_PHRASE = re.compile(rf"\s*,?\s*\b{_AROUND}\s+(?:{_THING}|{_LIGHT})", re.IGNORECASE)
_BARE = re.compile(rf"\b(?:{_THING.replace('grain(?=', 'film grain(?=')})", re.IGNORECASE)
_GONE = "\0"
_CLAUSE = re.compile(
    rf"(?:[,.;:]|^)?\s*(?:\b(?:and|but|though|although|while)\s+)?(?:\b(?:the|this|whole|entire|overall)\s+)*"
    rf"\b(?:it|(?:{_PICTURE}|scene|lighting|quality)(?:\s+(?:quality|itself))?)\s+(?:is|looks|appears|seems|has)\s+"
    rf"(?:to be\s+)?{_GONE}(?=\s*(?:[,.;]|$))",
    re.IGNORECASE,
)
_COPULA = re.compile(
    rf"\s+(?:(?:that|which)\s+)?(?:is|are|looks?|appears?|seems?)\s+(?:to be\s+)?{_GONE}(?=\s*(?:[,.;]|$|and\b|but\b))",
    re.IGNORECASE,
)
_TIDY = (
    (rf"^\s*{_GONE}\s*(?:over|across|covering|of|in)\b\s*", ""),  # "haze over a city"
    (rf"{_GONE}\s*(?:,\s*)?(?:\b(?:and|or|but|yet)\s+)(?=\w)", _GONE + " "),  # "dark and rainy street"
    (rf"(?:\s*,)?\s+(?:and|or|but|yet)\s+{_GONE}", " " + _GONE),  # "small and dark room"
    (rf"{_GONE}\s*,\s*(?=\w)", _GONE + " "),  # "a dark, rainy street"
    (rf"(?:{_GONE}\s*)+", _GONE),
    (rf"\ba\s*{_GONE}(?=[aeiou])", "an "),
    (rf"\ban\s*{_GONE}(?=[b-df-hj-np-tv-z])", "a "),
    (_GONE, " "),
    (r"\s+", " "),
    (r"\s+([,.;:!?])", r"\1"),
    (r"([,;:])(?:\s*[,;:])+", r"\1"),
    (r"[,;:]+\s*\.", "."),
    (r"\.(?:\s*\.)+", "."),
    (r"\b(an?|the)\s*,\s*", r"\1 "),
    (r",?\s+(?:and|or|but|yet|with)\s*(?=[,.;:]|$)", ""),
    (r"^(?:[\s,;:.!?\u2013\u2014-]+|(?:and|or|but|yet)\s+)+", ""),
)


def without_damage(text: str) -> str:
    """A line of English without its words about blur, darkness, noise, haze, exposure and compression.

    Fog that is no fault of the picture stays, as do "dark-haired" and the like. What joined the words goes with them.
    """
    text = _PHRASE.sub(f" {_GONE}", text.replace(_GONE, " "))
    text = _LIST.sub(_GONE, text)
    text = _BARE.sub(_GONE, text)
    text = _COPULA.sub("", _CLAUSE.sub(" ", text))
    for pattern, instead in _TIDY:
        text = re.sub(pattern, instead, text, flags=re.IGNORECASE)
    return text.strip()
