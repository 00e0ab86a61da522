"""The command line: a thin layer over the library. `app` gathers the commands."""

from fercore.cli.app import app, main

__all__ = ["app", "main"]
