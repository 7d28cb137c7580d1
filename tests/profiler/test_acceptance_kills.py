"""Killed at any moment, a run resumes and the profile is whole or absent: eight kills here, a hundred in
``python -m benchmarks profiler-kills``.
"""

import json
import os
import subprocess
import sys
from pathlib import Path


def test_eight_random_kills(tmp_path: Path) -> None:
    # A process of its own: it forks, which is only sound where no other threads run.
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "benchmarks", "profiler-kills", "--kills", "8", "--seed", "3"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)],
        cwd=root,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)

    assert found["killed"] == 8
    assert found["points_lost"] == 0
    assert found["final_points"] >= 1
    assert [p.name for p in tmp_path.iterdir()] == ["profile"]
