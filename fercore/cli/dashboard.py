"""`fercore dashboard`: the app, started from any folder."""

import os
import socket
import subprocess
import sys
from typing import Annotated

import typer

from fercore.cli.options import DataOption
from fercore.data import SYNTHETIC, existing_source
from fercore.errors import ConfigError
from fercore.places import APP, environment

HERE = "127.0.0.1"


def dashboard(
    streamlit: Annotated[
        list[str] | None, typer.Argument(help="after --: options of `streamlit run`")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="8501 by default, or the next free one")
    ] = None,
    address: Annotated[
        str, typer.Option(help="where it listens; 0.0.0.0 serves others too")
    ] = HERE,
    data: DataOption = None,
) -> None:
    """Open the app in the browser. It serves this machine only, and ends with Ctrl-C."""
    _check_free(address, port)
    variables = _environment(data)
    command = [sys.executable, "-m", "streamlit", "run", str(APP)]
    command += [f"--server.address={address}"]
    command += [f"--server.port={port}"] if port else []
    command += streamlit or []
    if sys.platform == "win32":  # whose exec would give the terminal back at once
        sys.exit(subprocess.call(command, env=variables))
    os.execve(sys.executable, command, variables)


def _check_free(address: str, port: int | None) -> None:
    """Raise `ConfigError` where nothing can listen there."""
    try:
        family, *_, place = socket.getaddrinfo(address, port or 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            if sys.platform != "win32":  # where it would take a port that is taken
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
    except OSError as error:
        where = f"port {port} of {address}" if port else address
        raise ConfigError(
            f"Nothing can listen on {where} ({error.strerror}). Choose another --port or --address."
        ) from error


def _environment(data: str | None) -> dict[str, str]:
    """The app's, and of the trainings that it starts. Raises `DataError` for a path to nothing."""
    # Pages import `dashboard`, which in a wheel lies beside them and not on Python's path.
    variables = environment()
    source = existing_source(data) if data else None
    if source:
        variables["FERCORE_DATA"] = source if source == SYNTHETIC else os.path.abspath(source)
    return variables
