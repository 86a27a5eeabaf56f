"""Functions that `torch.vmap` maps: their tensors have no values to be measured."""

from torch import Tensor
from torch._C import _functorch


def is_mapped() -> bool:
    """Whether a function that is mapped over examples runs now."""
    levels = _functorch.get_interpreter_stack() or ()
    return any(one.key() == _functorch.TransformType.Vmap for one in levels)


def unwrapped_values(tensor: Tensor) -> Tensor:
    """Return the tensor of all examples that a mapped function is given one of."""
    while _functorch.is_functorch_wrapped_tensor(tensor):
        tensor = _functorch.get_unwrapped(tensor)
    return tensor
