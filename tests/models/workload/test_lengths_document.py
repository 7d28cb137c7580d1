from pathlib import Path

import pytest

from models.errors import InvalidInput, UnknownName
from models.workload import LengthDistribution, dump_lengths, load_lengths, parse_lengths

SIMPLE = {"levels": [0, 0.5, 1], "input_tokens": [1, 100, 900], "output_tokens": [1, 10, 50]}


def test_simple_table_has_one_band() -> None:
    lengths = parse_lengths({**SIMPLE, "source": "mine"}, source="x.yaml")
    assert lengths.bands.tolist() == [1]
    assert lengths.source == "mine"
    assert lengths.output_quantile(0.5) == pytest.approx(10)


def test_written_tables_read_back(tmp_path: Path) -> None:
    pairs = [(i * 7 % 500 + 1, i * 13 % 90 + 1) for i in range(2000)]
    lengths = LengthDistribution.from_samples(*zip(*pairs, strict=True), source="test")
    path = tmp_path / "lengths.yaml"
    path.write_text(dump_lengths(lengths, provenance={"repository": "https://example.org", "licence": "MIT"}))
    again = load_lengths(path)
    assert again.output_tokens == pytest.approx(lengths.output_tokens, abs=0.051)
    assert again.input_tokens == pytest.approx(lengths.input_tokens, abs=0.051)
    assert again.source == "https://example.org, MIT"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": "x"}, "levels: expected a list of numbers"),
        ({"input_tokens": [1, 2]}, "input_tokens: expected 3 numbers, one per level, got 2"),
        ({"input_tokens": [1, "2", 3]}, r"input_tokens\[1\]: expected a finite number, got '2'"),
        ({"input_tokens": [1, float("nan"), 3]}, r"input_tokens\[1\]: expected a finite number"),
        ({"input_tokens": [9, 2, 3]}, "input_tokens: input_tokens must be at least 1 token and may not fall"),
        ({"bands": []}, "one of the two"),
        ({"kind": "Workload"}, "kind must be LengthDistribution"),
    ],
)
def test_wrong_values_carry_their_path(change: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse_lengths({**SIMPLE, **change}, source="x.yaml")


def test_unknown_key_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'input_tokens'"):
        parse_lengths({**SIMPLE, "input_token": []}, source="x.yaml")


def test_broken_yaml_has_a_line(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("levels: [0, 1]\ninput_tokens: [1\noutput_tokens: 3")
    with pytest.raises(InvalidInput, match=r"x\.yaml:3: not valid YAML"):
        load_lengths(path)
    with pytest.raises(InvalidInput, match="cannot read the length table"):
        load_lengths(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"input_tokens: [1, {10**400}]", r"x\.yaml:2: input_tokens\[1\]: expected a finite number"),
        ("input_tokens: [1, .nan]", r"x\.yaml:2: input_tokens\[1\]: expected a finite number"),
        ("input_tokens: [1, no]", r"x\.yaml:2: input_tokens\[1\]: expected a finite number, got 'no'"),
        ("input_token: [1, 2]", r"x\.yaml:2: unknown key 'input_token'; did you mean 'input_tokens'"),
    ],
)
def test_mistakes_in_a_file_carry_path_and_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"levels: [0, 1]\n{line}\noutput_tokens: [1, 3]\n")
    with pytest.raises(InvalidInput, match=message):
        load_lengths(path)


def test_a_whole_number_beyond_64_bits_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"levels: [0, 1]\ninput_tokens: [1, {10**30}]\noutput_tokens: [1, 3]\n")
    assert load_lengths(path).input_tokens[1] == 1e30
