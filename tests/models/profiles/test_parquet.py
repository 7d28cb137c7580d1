"""Columns of Parquet files as NumPy's arrays: what arrow itself makes of them, without pandas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.profiles.parquet import _values

KINDS = {
    "float32": (pa.float32(), st.one_of(st.none(), st.floats(width=32))),
    "float64": (pa.float64(), st.one_of(st.none(), st.floats())),
    "int32": (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "int64": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "bool": (pa.bool_(), st.booleans()),
}


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(deadline=None)
@given(data=st.data(), skipped=st.integers(0, 9))
def test_equals_what_arrow_makes_of_it(kind: str, data: st.DataObject, skipped: int) -> None:
    arrow, cells = KINDS[kind]
    column = pa.array(data.draw(st.lists(cells, max_size=40)), arrow).slice(skipped)

    found, expected = _values(column), column.to_numpy(zero_copy_only=False)

    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_reading_a_profile_imports_no_pandas() -> None:
    script = (
        "import sys; from models.profiles.catalogue import find_profile;"
        "find_profile('l40s-48gb').table('gemm'); sys.exit('pandas' in sys.modules)"
    )
    root = str(Path(__file__).parents[3])
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 0
