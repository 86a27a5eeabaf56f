"""Every planted fault is found, and named for what it is."""

import pathlib
import re
import sys

import pytest

from initlab.testing import BrokenPropertyError, check_initializer

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import faults


@pytest.mark.parametrize("name", faults.FAULTS)
def test_a_planted_fault_is_named(name):
    fault = faults.FAULTS[name]

    with pytest.raises(BrokenPropertyError) as raised:
        check_initializer(fault.make(), law=fault.law, **fault.options)

    assert re.match(fault.breaks, str(raised.value))


@pytest.mark.parametrize("name", faults.UNSEEN)
def test_what_is_said_to_stay_unseen_does(name):
    make, law = faults.UNSEEN[name]

    assert not check_initializer(make(), law=law).broken


def test_there_are_enough_kinds():
    assert len(faults.FAULTS) >= 150
