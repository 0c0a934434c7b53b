"""The command `aduan`. Words for people go to stderr, results to stdout; exit 0 done, 1 a named failure, 2 wrong
usage."""

import sys

import typer

from router_model.errors import AduanError
from service.cli import checking, keys, policy, portals, prediction, releases, replaying, serving, training
from service.cli.output import complain

app = typer.Typer(
    help="Pemilah dan penerus pengaduan masyarakat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(portals.app, name="portal")
app.add_typer(releases.app, name="release")
app.add_typer(keys.app, name="key")
for command in (
    checking.check, training.train, training.evaluate, replaying.replay, policy.policy, prediction.predict,
    prediction.score,
):  # fmt: skip
    app.command()(command)
app.command()(serving.serve)


def main() -> None:
    try:
        app()
    except AduanError as error:
        complain(str(error))
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        complain(f"{error.filename or 'berkas'}: {error.strerror or error}")
        sys.exit(1)
