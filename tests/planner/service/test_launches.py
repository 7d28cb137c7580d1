from __future__ import annotations

import pytest

from models.errors import Unsupported
from planner.service.launches import LaunchCommand, split_script

SCRIPT = """# chat-0 on h100/r0/n0, part 1 of 2
CUDA_VISIBLE_DEVICES=0,1 HOST="${ADDRESS_h100_r0_n0:?}" vllm serve org/model \\
  --config '{"a": "b c"}' \\
  --master-addr "${ADDRESS_h100_r0_n0:?}"

# chat-0 on h100/r0/n1, part 2 of 2
CUDA_VISIBLE_DEVICES=0 vllm serve org/model \\
  --headless
"""


def test_words_environment_and_addresses_are_taken_apart():
    head, worker = split_script(SCRIPT, {"h100/r0/n0", "h100/r0/n1"})

    assert head == LaunchCommand(
        instance="chat-0",
        node="h100/r0/n0",
        environment={"CUDA_VISIBLE_DEVICES": "0,1", "HOST": "{address:h100/r0/n0}"},
        command=(
            "vllm", "serve", "org/model", "--config", '{"a": "b c"}', "--master-addr", "{address:h100/r0/n0}",
        ),
    )  # fmt: skip
    assert worker.command == ("vllm", "serve", "org/model", "--headless")
    assert worker.environment == {"CUDA_VISIBLE_DEVICES": "0"}


def test_another_form_of_script_is_refused():
    with pytest.raises(Unsupported, match="expected"):
        split_script("echo hello", set())
