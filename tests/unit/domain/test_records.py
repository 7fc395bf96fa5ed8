"""What `made_fast` promises: the same record as `dataclass` makes, frozen as ever."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import KW_ONLY, FrozenInstanceError, dataclass, field
from decimal import Decimal

import pytest

from trading_bot.domain.money import price_of
from trading_bot.domain.records import changed, made_fast


@made_fast
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


def test_only_frozen_slotted_dataclasses_can_be_made_fast():
    @dataclass
    class Open:
        content: str

    with pytest.raises(TypeError, match="Open is no frozen slotted dataclass"):
        made_fast(Open)


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
