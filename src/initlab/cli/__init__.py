"""The command line: parse, call, print."""

from initlab.cli._app import app, main

__all__ = ["app", "main"]
