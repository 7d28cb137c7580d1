"""Three hundred mutated requests against a real server in a process of its own."""

from __future__ import annotations

import json
import random

from benchmarks.fuzz_requests import main
from benchmarks.service_load.methods import every_method, fill
from benchmarks.service_load.mutation import mutate


def test_mutated_requests_are_answered(capsys):
    code = main(["--count", "300", "--seed", "5"])
    found = json.loads(capsys.readouterr().out)

    assert code == 0, found["failures"]
    assert sum(found["codes"].values()) == 300
    assert {"OK", "INVALID_ARGUMENT", "NOT_FOUND"} <= set(found["codes"])
    assert found["tracebacks_in_the_log"] == 0


def test_every_method_gets_messages_of_its_own_type():
    source = random.Random(1)
    for method in every_method():
        message = fill(method.request(), source, ["a", "b"], {"name": ["plans/1"]})
        assert method.request.FromString(message.SerializeToString()) is not None


def test_the_same_seed_gives_the_same_bytes():
    once, again = (mutate(random.Random(3), b"fleet: demo") for _ in range(2))
    assert once == again != b"fleet: demo"
