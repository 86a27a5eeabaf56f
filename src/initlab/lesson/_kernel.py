"""IPython extensions: the lesson's surroundings, for a notebook.

`initlab lesson run` loads this module into the kernel that it starts. In a notebook of
your own, `%load_ext initlab.lesson` does the same, and leaves windows as they are.
"""

from typing import Any

from initlab.lesson._python2 import with_print_calls
from initlab.lesson._surroundings import install


def lend(shell: Any) -> None:
    """Provide missing modules, aliases and print statements to a shell."""
    install()
    shell.input_transformers_post.append(with_print_calls)


def load_ipython_extension(shell: Any) -> None:
    """Do the same where there is no screen: pictures go into the notebook."""
    lend(shell)
    inline = shell.enable_matplotlib
    # There is no screen: whatever window `%matplotlib` asks for, it gets pictures.
    shell.enable_matplotlib = lambda gui=None: inline("inline")  # noqa: ARG005
    shell.enable_gui = lambda gui=None: None  # noqa: ARG005
