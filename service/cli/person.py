"""Who runs a command."""

import getpass
import os


def login_name() -> str:
    """As it is recorded of whatever they change; the user's number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
