"""What the domain's `dataclass` promises: the same record as Python's makes, frozen as ever."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import KW_ONLY, FrozenInstanceError, field
from decimal import Decimal
from typing import Any, get_type_hints

import pytest

from trading_bot.domain.money import price_of
from trading_bot.domain.records import changed, dataclass


@dataclass(frozen=True, slots=True)
class Parcel:
    """A record with every kind of field."""

    content: str
    weight: int = 3
    labels: list[str] = field(default_factory=list[str])
    _: KW_ONLY
    fragile: bool = False
    seals: dict[str, int] = field(default_factory=dict[str, int], init=False)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ValueError(f"weight={self.weight}")
        object.__setattr__(self, "name", f"{self.content} of {self.weight}")


def test_fields_are_filled_by_place_by_name_and_by_default():
    parcel = Parcel("books", labels=["up"], fragile=True)

    assert (parcel.content, parcel.weight, parcel.labels, parcel.fragile) == ("books", 3, ["up"], True)
    assert (parcel.seals, parcel.name) == ({}, "books of 3")
    assert type(parcel) is Parcel
    assert repr(parcel) == "Parcel(content='books', weight=3, labels=['up'], fragile=True, seals={}, name='books of 3')"


def test_each_record_gets_a_default_of_its_own():
    first, second = Parcel("a"), Parcel("b")

    first.labels.append("mine")

    assert second.labels == []


@pytest.mark.parametrize("wrong", [(), ("a", 1, [], True)], ids=["too few", "by place what goes by name"])
def test_wrong_arguments_are_refused(wrong: tuple):
    with pytest.raises(TypeError):
        Parcel(*wrong)


def test_it_is_frozen_checked_and_compared_as_ever():
    parcel = Parcel("books")

    with pytest.raises(FrozenInstanceError):
        parcel.weight = 4  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ValueError, match="weight=-1"):
        Parcel("books", -1)
    assert parcel == Parcel("books")
    assert parcel != Parcel("books", 4)
    assert list(inspect.signature(Parcel).parameters) == ["content", "weight", "labels", "fragile"]
    assert get_type_hints(Parcel.__init__)["labels"] == list[str]


def test_it_can_be_copied_and_sent_elsewhere():
    parcel = Parcel("books", 5, ["up"])

    assert copy.deepcopy(parcel) == pickle.loads(pickle.dumps(parcel)) == parcel


def test_a_change_makes_a_new_record_and_checks_it():
    parcel = Parcel("books", 5, ["up"])

    lighter = changed(parcel, weight=1, fragile=True)

    assert (lighter.content, lighter.weight, lighter.labels, lighter.fragile) == ("books", 1, ["up"], True)
    assert (lighter.name, parcel.weight) == ("books of 1", 5)
    assert lighter == dataclasses.replace(parcel, weight=1, fragile=True)
    with pytest.raises(ValueError, match="weight=-2"):
        changed(parcel, weight=-2)
    with pytest.raises(TypeError):
        changed(parcel, colour="red")


def test_it_is_what_python_would_have_made_of_the_class():
    class Point:
        x: int
        y: int = 2
        note: str = field(default="", compare=False)
        inner: object = field(default=None, repr=False)

    ours: Any
    pythons: Any
    ours, pythons = (
        kind(frozen=True, slots=True)(type("Point", (), dict(Point.__dict__)))
        for kind in (dataclass, dataclasses.dataclass)
    )

    assert inspect.signature(ours) == inspect.signature(pythons)
    assert repr(ours(1, note="n")) == repr(pythons(1, note="n"))
    assert hash(ours(1, note="n")) == hash(pythons(1, note="m"))
    assert (ours(1, note="n") == ours(1, note="m"), ours(1) == ours(2), ours(1) == pythons(1)) == (True, False, False)
    assert ours.__match_args__ == pythons.__match_args__
    assert dataclasses.asdict(ours(1)) == dataclasses.asdict(pythons(1))
    with pytest.raises(FrozenInstanceError):
        del ours(1).x


def test_records_that_are_not_compared_by_their_fields_are_compared_by_identity():
    @dataclass(frozen=True, slots=True, eq=False)
    class Array:
        size: int

    one = Array(1)

    assert one == one  # noqa: PLR0124
    assert one != Array(1)
    assert len({one, Array(1)}) == 2


def test_a_record_that_holds_itself_can_be_shown():
    parcel = Parcel("books")
    parcel.labels.append(parcel)  # pyright: ignore[reportArgumentType]

    assert "labels=[...]" in repr(parcel)


def test_a_record_without_fields_of_its_own_may_have_a_base():
    @dataclass(frozen=True, slots=True)
    class Box(Parcel):
        """A parcel."""

    assert repr(Box("books")).endswith(
        "Box(content='books', weight=3, labels=[], fragile=False, seals={}, name='books of 3')"
    )
    assert Box("books") != Parcel("books")
    assert isinstance(changed(Box("books"), weight=1), Box)


def test_what_it_cannot_define_is_refused_and_points_to_who_can():
    with pytest.raises(TypeError, match=r"Crate adds fields to those of its base: that takes `dataclasses.dataclass`"):

        @dataclass(frozen=True, slots=True)
        class Crate(Parcel):  # pyright: ignore[reportUnusedClass]
            wood: str = ""

    with pytest.raises(TypeError, match="Shy has its own __repr__"):

        @dataclass(frozen=True, slots=True)
        class Shy:  # pyright: ignore[reportUnusedClass]
            content: str

            def __repr__(self) -> str:
                return "?"


@pytest.mark.parametrize(
    ("value", "dollars"),
    [
        (1.0, "1.00"),
        (0.999, "0.9990"),
        (0.00005, "0.0000"),
        (26.344999999999995, "26.34"),
        (26.345, "26.34"),  # a tie of its digits, though the float lies above it
        (26.355, "26.36"),  # a tie, though the float lies below it
        (2.675, "2.68"),
        (1.005, "1.00"),
        (99999.994999, "99999.99"),
        (12345678.905, "12345678.90"),
    ],
)
def test_a_price_is_rounded_by_its_digits_halves_to_even(value: float, dollars: str):
    assert str(price_of(value)) == str(Decimal(dollars))
