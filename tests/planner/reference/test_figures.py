from __future__ import annotations

import json

from planner.reference.figures import figures_book


def test_scalars_records_and_lines(tmp_path):
    one = {
        "command": "python -m benchmarks x",
        "seed": 1,
        "machine": {"cores": 2},
        "runs": [{"a": 0.5, "b": {"c": 3}}],
    }
    (tmp_path / "one.json").write_text(json.dumps(one))
    (tmp_path / "lines.json").write_text('{"case": "p"}\n{"case": "q|r"}\n')
    book = figures_book(tmp_path)
    assert book.index("## lines") < book.index("## one")
    assert "python -m benchmarks x" in book
    assert "| seed | 1 |" in book
    assert "| a | b: c |" in book
    assert "| 0.5 | 3 |" in book
    assert "| q\\|r |" in book
    assert "cores" not in book


def test_long_lists_are_cut_with_a_count(tmp_path):
    (tmp_path / "long.json").write_text(json.dumps({"rows": [{"n": n} for n in range(100)]}))
    assert "… and 60 more." in figures_book(tmp_path)
