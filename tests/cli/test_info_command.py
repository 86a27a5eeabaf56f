import json

from typer.testing import CliRunner

from initlab.cli._app import app


def test_info_says_what_the_machine_is_and_what_auto_chooses():
    shown = CliRunner().invoke(app, ["info"])

    assert shown.exit_code == 0
    for word in ("vectors", "threads", "2-10-5-1", "lanes", "wide"):
        assert word in shown.stdout


def test_info_is_json_for_programs():
    shown = CliRunner().invoke(app, ["info", "--json"])

    facts = json.loads(shown.stdout)
    assert facts["machine"]["numba"]
    lesson = facts["choices"][0]
    assert lesson["network"] == "2-10-5-1"
    assert lesson["chosen"] == {"1": "lanes", "3": "lanes", "64": "lanes"}
