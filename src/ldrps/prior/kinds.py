"""Kinds of values that a JSON file may hold, each with its limits: what `config.py` describes configurations in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Kind(ABC):
    """A kind of JSON value. In words it is what a message says was expected; `a | b` is either."""

    @abstractmethod
    def admits(self, value: Any) -> bool:
        """Whether a value is of this kind and within its limits."""

    @abstractmethod
    def __str__(self) -> str: ...

    def __or__(self, other: Kind) -> Kind:
        return _Either(self, other)


@dataclass(frozen=True)
class _Either(Kind):
    one: Kind
    other: Kind

    def admits(self, value: Any) -> bool:
        return self.one.admits(value) or self.other.admits(value)

    def __str__(self) -> str:
        return f"{self.one} or {self.other}"


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from `low` to `high`; 64.0 and true are none."""

    low: int
    high: int

    def admits(self, value: Any) -> bool:
        return type(value) is int and self.low <= value <= self.high

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"a whole number from {self.low} to {self.high}"


@dataclass(frozen=True)
class Number(Kind):
    """A number from `low` to `high`; true is none."""

    low: float
    high: float

    def admits(self, value: Any) -> bool:
        return type(value) in (int, float) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"


class Flag(Kind):
    """True or false."""

    def admits(self, value: Any) -> bool:
        return type(value) is bool

    def __str__(self) -> str:
        return "true or false"


class Null(Kind):
    """Null, for which the library that reads the field has a meaning of its own."""

    def admits(self, value: Any) -> bool:
        return value is None

    def __str__(self) -> str:
        return "null"


@dataclass(frozen=True)
class Word(Kind):
    """A string of 1 to `longest` characters, one of `choices` where these are given."""

    longest: int = 64
    choices: tuple[str, ...] = ()

    def admits(self, value: Any) -> bool:
        return type(value) is str and 0 < len(value) <= self.longest and (not self.choices or value in self.choices)

    def __str__(self) -> str:
        return " or ".join(self.choices) or f"a string of 1 to {self.longest} characters"


@dataclass(frozen=True)
class Several(Kind):
    """A list of `least` to `most` items of a kind."""

    item: Kind
    least: int
    most: int

    def admits(self, value: Any) -> bool:
        return type(value) is list and self.least <= len(value) <= self.most and all(map(self.item.admits, value))

    def __str__(self) -> str:
        return f"a list of {self.least} to {self.most}, each {self.item}"


@dataclass(frozen=True)
class Table(Kind):
    """An object of any names up to `longest` characters, at most `most` of them, with values of a kind."""

    item: Kind
    most: int
    longest: int = 512

    def admits(self, value: Any) -> bool:
        if type(value) is not dict or len(value) > self.most:
            return False
        return all(len(name) <= self.longest and self.item.admits(held) for name, held in value.items())

    def __str__(self) -> str:
        return f"an object of at most {self.most} names, each with {self.item}"


@dataclass(frozen=True)
class Record(Kind):
    """An object that has `needed`, and nothing beside `fields`; those that it has are of their kinds."""

    fields: Mapping[str, Kind]
    needed: tuple[str, ...] = ()

    def admits(self, value: Any) -> bool:
        if type(value) is not dict or not all(name in value for name in self.needed):
            return False
        return all(name in self.fields and self.fields[name].admits(held) for name, held in value.items())

    def __str__(self) -> str:
        return f"an object of {', '.join(self.fields)}"
