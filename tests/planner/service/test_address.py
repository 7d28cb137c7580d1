from __future__ import annotations

import pytest

from models.errors import InvalidInput
from planner.service.address import check_address, is_loopback


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:1", True),
        ("localhost:1", True),
        ("[::1]:1", True),
        ("unix:/tmp/x", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("10.0.0.1:1", False),
        ("example.com:1", False),
        ("127.0.0.1.example.com:1", False),
    ],
)
def test_loopback(address, local):
    assert is_loopback(address) is local


@pytest.mark.parametrize("address", ["", "x", ":1", "x:", "x:y", "x:99999", "x:-1"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InvalidInput):
        check_address(address)
