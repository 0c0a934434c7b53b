"""The command `aduan`. Words for people go to stderr, results to stdout; exit 0 done, 1 a named failure, 2 wrong
usage."""

import sys

import typer
from sqlalchemy.exc import OperationalError

from router_model.errors import AduanError
from service.cli.commands import COMMANDS, LazyGroup
from service.cli.output import complain

app = typer.Typer(
    cls=LazyGroup,
    help="Pemilah dan penerus pengaduan masyarakat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for name, (_, line) in COMMANDS.items():
    app.command(name, help=line)(lambda: None)


def main() -> None:
    try:
        app()
    except AduanError as error:
        complain(str(error))
        sys.exit(1)
    except OperationalError:
        complain("Basis data tidak menjawab. Periksa ADUAN_DATABASE_URL, dan apakah servernya berjalan.")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        complain(f"{error.filename or 'berkas'}: {error.strerror or error}")
        sys.exit(1)
