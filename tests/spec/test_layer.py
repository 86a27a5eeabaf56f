"""Layers as values: what they refuse, and what they say of themselves."""

import pytest

from initlab.errors import InitlabError, InvalidValueError
from initlab.spec import LayerSpec


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shape": (3,)}, "shape"),
        ({"shape": (3, 0)}, "shape"),
        ({"kind": "dense", "shape": (3, 2)}, "kind"),
        ({"kind": "conv", "shape": (3, 2)}, "kernel"),
        ({"shape": (3, 2, 3)}, "two sizes"),
        ({"kind": "conv", "shape": (3, 2, 3), "stride": (1, 2)}, "stride: one number"),
        ({"kind": "conv", "shape": (3, 2, 3), "groups": 2}, "groups: must divide"),
        ({"shape": (3, 2), "groups": 3}, "only convolutions"),
        ({"shape": (3, 2), "transposed": True}, "only convolutions"),
        ({"shape": (10, 2), "packed": 4}, "packed: must divide"),
        ({"shape": (10, 2), "strides": (1,)}, "strides"),
    ],
)
def test_layers_that_cannot_be_are_refused_in_one_line(given, message):
    with pytest.raises(InitlabError, match=message) as refused:
        LayerSpec(**given)

    assert "\n" not in str(refused.value)


def test_strides_and_dilations_are_one_unless_given():
    layer = LayerSpec(kind="conv", shape=(8, 4, 3, 3), stride=(2, 1))

    assert layer.strides == (2, 1)
    assert layer.dilations == (1, 1)


def test_equal_layers_are_equal_values():
    assert LayerSpec(shape=(4, 2)) == LayerSpec(shape=(4, 2))
    with pytest.raises((TypeError, ValueError, InvalidValueError)):
        LayerSpec(shape=(4, 2)).groups = 2
