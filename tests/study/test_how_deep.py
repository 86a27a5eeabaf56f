"""The flagship study, smaller: its picture and tables are made from any results."""

import sys
from pathlib import Path

import numpy as np
import pytest

import initlab as il

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def how_deep():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(DOCS / "studies"), *sys.path])
        import how_deep

        yield how_deep


@pytest.fixture(scope="module")
def reduced(how_deep):
    study = how_deep.study_of(members=8, depths=[1, 12], steps=200)
    return study, il.run(study, threads=1)


def test_the_study_is_the_one_that_the_page_describes(how_deep):
    study = how_deep.study_of()

    assert study.grid["network.depth"] == (1, 2, 3, 5, 8, 12, 20, 30)
    assert (study.members, study.steps, len(study.inits)) == (100, 2000, 5)


def test_the_budgets_are_theorys(how_deep, reduced):
    study, _ = reduced

    budgets = how_deep.budgets(study)

    assert budgets.shape == (2, 5)
    he = [init.label for init in study.inits].index("he_normal")
    assert np.abs(budgets[:, he]).max() < 1e-9
    assert budgets[1].max() > 12


def test_the_picture_and_the_page_are_made(how_deep, reduced):
    study, results = reduced

    figure = how_deep.draw(results, how_deep.budgets(study))
    page = how_deep.filled(
        how_deep.PAGE.read_text(encoding="utf-8"),
        table=how_deep.table(results),
        statements="\n".join(how_deep.sentences(results, study)),
    )

    frames = [patch for patch in figure.axes[0].patches if not patch.get_fill()]
    assert frames
    assert page.count("| 12 | ") == 1
    assert "depth 1: " in page


def test_the_picture_and_the_numbers_are_there(how_deep):
    page = how_deep.PAGE.read_text(encoding="utf-8")

    assert how_deep.PICTURE.is_file()
    for depth in how_deep.study_of().grid["network.depth"]:
        assert f"\n| {depth} | " in page
