"""What it takes to repeat a study, where its text alone does not."""

from initlab.messages import needs_arrays, needs_function
from initlab.spec import ARRAYS, CALLABLE, EXPLICIT, Study


def what_text_lacks(study: Study) -> list[str]:
    """Return a sentence for everything that a study's TOML names and cannot hold.

    Example:
        >>> def mine(shape, rng):
        ...     return rng.standard_normal(shape)
        >>> len(what_text_lacks(Study(inits=["zeros", mine])))
        1
        >>> what_text_lacks(Study())
        []
    """
    found = [
        needs_function(init.label, init.digest or "", weights=init.name == EXPLICIT)
        for init in study.inits
        if init.name in (CALLABLE, EXPLICIT)
    ]
    problems = [study.problem, *(study.grid.get("problem", ()) if study.grid else ())]
    found += [
        needs_arrays(problem.digest or "")
        for problem in problems
        if problem.name == ARRAYS
    ]
    return list(dict.fromkeys(found))
