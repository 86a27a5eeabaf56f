"""The page's laboratory under Node, beside Python's."""

import json
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def laboratory():
    """Run studies in the page's own code; the answers come in their order."""
    subprocess.run(["node", "build.mjs", "--headless"], cwd=PAGE, check=True)
    process = subprocess.Popen(
        ["node", "built/headless.mjs"], cwd=PAGE, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip

    def run(**study):
        process.stdin.write(json.dumps(study) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield run
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()
