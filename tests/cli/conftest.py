"""The command line, run in this process."""

import sys

import pytest

from initlab.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder; give status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["initlab", *arguments])
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return run
