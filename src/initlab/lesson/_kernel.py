"""An IPython extension: the lesson's surroundings, for a notebook.

`initlab lesson run` loads it into the kernel that it starts. In a notebook of your own,
`%load_ext initlab.lesson._kernel` does the same.
"""

from typing import Any

from initlab.lesson._python2 import with_print_calls
from initlab.lesson._surroundings import install


def load_ipython_extension(shell: Any) -> None:
    """Provide missing modules and aliases; pictures go into the notebook."""
    install()
    inline = shell.enable_matplotlib
    # There is no screen: whatever window `%matplotlib` asks for, it gets pictures.
    shell.enable_matplotlib = lambda gui=None: inline("inline")  # noqa: ARG005
    shell.enable_gui = lambda gui=None: None  # noqa: ARG005
    shell.input_transformers_post.append(with_print_calls)
