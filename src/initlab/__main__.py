"""`python -m initlab`: the command line, where no `initlab` is on the path."""

from initlab.cli import main

if __name__ == "__main__":
    main()
