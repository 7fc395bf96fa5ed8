"""How things stand, in words, where the book is elsewhere."""

from __future__ import annotations

from deployments.standing import table_as_text


def test_each_entry_of_a_list_has_a_line_and_nothing_is_a_dash():
    rows = {
        "cash": "85419.13",
        "equity": None,
        "positions": [{"symbol": "AAPL", "quantity": "9"}, {"symbol": "AMD", "quantity": "22"}],
        "open_orders": [],
        "last_cycle": {"cycle_id": "20220104T210000Z", "ended_at": None},
    }

    assert table_as_text(rows).splitlines() == [
        "cash         85419.13",
        "equity       –",
        "positions    symbol AAPL, quantity 9",
        "positions    symbol AMD, quantity 22",
        "open_orders  –",
        "last_cycle   cycle_id 20220104T210000Z, ended_at –",
    ]
