"""The command `aduan`. Words for people go to stderr, results to stdout; exit 0 done, 1 a named failure, 2 wrong
usage."""

import sys

import typer
from sqlalchemy.exc import OperationalError

from router_model.errors import AduanError
from service.cli import (
    backups,
    checking,
    dispositions,
    erasing,
    keys,
    policy,
    portals,
    prediction,
    releases,
    replaying,
    serving,
    training,
    users,
    webhooks,
    worker,
)
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
app.add_typer(dispositions.app, name="disposition")
app.add_typer(users.app, name="user")
app.add_typer(webhooks.app, name="webhook")
for command in (
    checking.check, training.train, training.evaluate, replaying.replay, policy.policy, prediction.predict,
    prediction.score, serving.serve, worker.worker, erasing.erase, erasing.keep, backups.backup, backups.restore,
):  # fmt: skip
    app.command()(command)


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
