from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.service.errors import StatusError
from planner.service.paging import decode_token, encode_token, page_limit


@given(st.integers(0, 2**63 - 1), st.text("0123456789abcdef", min_size=32, max_size=32), st.text())
def test_a_token_gives_its_position_back(time_us, plan_id, query):
    assert decode_token(encode_token((time_us, plan_id), query), query) == (time_us, plan_id)


@given(st.text())
def test_no_text_breaks_the_decoder(text):
    if text:
        with pytest.raises(StatusError):
            decode_token(text, "plans")
    else:
        assert decode_token(text, "plans") is None


@pytest.mark.parametrize(("asked", "limit"), [(0, 50), (1, 1), (1000, 1000), (1001, 1000)])
def test_page_sizes(asked, limit):
    assert page_limit(asked) == limit
