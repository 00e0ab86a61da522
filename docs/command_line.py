"""The page `command-line.md`, written by Typer from the commands themselves.

python docs/command_line.py
"""

import html
import os
import re
import subprocess
import sys
from pathlib import Path

from fercore.cli import app

PAGE = Path(__file__).with_name("command-line.md")
TYPER = [sys.executable, "-m", "typer", "fercore.cli", "utils", "docs", "--name", "fercore"]
INTRODUCTION = """# The command line

<!-- Written by docs/command_line.py from the commands themselves: change those, then run it. -->

What each command of `fercore` takes; `fercore COMMAND --help` says the same. In a clone the command
lies in `.venv/bin`: `source .venv/bin/activate` puts it on the path. A mistake is told in one
sentence, with exit code 1 (an unknown option or a value out of range: 2, as are mistakes of
`check`; what Ctrl-C broke off: 130). `--json` prints what was found for other programs. Which
commands belong together is told in the [guides](README.md). `fercore --version` says the version
and the commit.
"""


def hidden() -> list[str]:
    """Commands that fercore alone gives, which Typer would write about too."""
    groups = [(info.name, info.typer_instance) for info in app.registered_groups]
    return [
        f"{group} {command.name or (command.callback and command.callback.__name__)}"
        for group, part in groups
        if part
        for command in part.registered_commands
        if command.hidden
    ]


def page() -> str:
    """The page as it should stand, in Typer's words without what every command has."""
    utf8 = os.environ | {"PYTHONUTF8": "1"}  # on Windows pipes, too
    printed = subprocess.run(TYPER, capture_output=True, encoding="utf-8", env=utf8, check=True)
    text = html.unescape(printed.stdout).partition("\n## ")[2]
    text = text.replace("* `--help`: Show this message and exit.\n", "")
    text = text.replace("```console\n$ ", "```text\n").replace("**Usage**:\n\n", "")
    text = re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+\n", "", text)  # they follow, in full
    text = re.sub(r"\*\*Options\*\*:\n\n(?!\*)", "", text)
    for command in hidden():
        text = re.sub(rf"### `fercore {command}`\n.*?(?=\n##)", "", text, flags=re.S)
    text = text.replace("[OPTIONS] COMMAND [ARGS]...", "COMMAND …").replace(" [OPTIONS]", "")
    text = re.sub(r"\n{3,}", "\n\n", text)
    return f"{INTRODUCTION}\n## {text.strip()}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
