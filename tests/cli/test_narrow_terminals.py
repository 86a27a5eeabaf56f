"""Commands in terminals that are narrower than what they say."""

import json

import pytest


@pytest.mark.parametrize("columns", [20, 40])
def test_info_keeps_every_column_and_number(run, monkeypatch, columns):
    choices = json.loads(run("info", "--json")[1])["choices"]
    monkeypatch.setenv("COLUMNS", str(columns))

    _, out, _ = run("info")

    words = out.split()
    for choice in choices:
        assert choice["network"] in words
        assert f"{choice['lanes']:,.1f}" in words
        assert f"{choice['wide']:,.1f}" in words
    assert {"1:", "3:", "64:"} <= set(words)


def test_no_formula_of_the_list_is_shortened(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")

    _, out, _ = run("list")

    assert "…" not in out
