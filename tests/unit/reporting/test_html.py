"""Markup that cannot be broken from outside."""

from __future__ import annotations

from trading_bot.reporting.html import joined, raw, row, table, tag


def test_a_text_is_escaped_and_stays_on_one_line():
    assert tag("p", "a <b> & 'c'\n\x1bd") == "<p>a &lt;b&gt; &amp; &#x27;c&#x27; d</p>"


def test_an_element_in_an_element_is_markup():
    assert tag("p", tag("b", "x"), None, "y") == "<p><b>x</b>y</p>"


def test_an_attribute_is_escaped():
    assert tag("td", title='">x', class_="a", data_x="1", open=True, id=None) == (
        '<td title="&quot;&gt;x" class="a" data-x="1" open></td>'
    )


def test_a_void_element_has_no_end():
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_only_markup_of_our_own_is_left_as_it_is():
    assert joined([raw("<i>"), "<i>"]) == "<i>&lt;i&gt;"


def test_a_table_scrolls_in_its_frame_and_its_cells_have_classes():
    made = table(("A", "B"), [row(("1", "2"), ("", "number"))], ("", "number"), foot=row(("x", "y"), ("", "")))

    assert made == (
        '<div class="scroll"><table><thead><tr><th>A</th><th class="number">B</th></tr></thead>'
        '<tbody><tr><td>1</td><td class="number">2</td></tr></tbody>'
        "<tfoot><tr><td>x</td><td>y</td></tr></tfoot></table></div>"
    )
