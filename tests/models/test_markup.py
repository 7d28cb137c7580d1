from __future__ import annotations

from models.markup import html_table


def test_everything_is_escaped():
    table = html_table("<b>", ("<h>",), [("<script>",)], note="a & b")
    assert "<script>" not in table
    assert "&lt;script&gt;" in table
    assert "a &amp; b" in table


def test_numbers_missing_values_and_long_tables():
    table = html_table("t", ("n",), [(1.23456,), (None,), *((i,) for i in range(30))])
    assert "<td>1.235</td><" in table.replace("</tr>", "<")
    assert "<td>–</td>" in table
    assert "… and 12 more." in table
    assert table.count("<tr>") == 21
