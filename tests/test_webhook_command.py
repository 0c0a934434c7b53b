"""`aduan webhook`, from adding a receiver to sending again what it did not get."""

import json
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from service.cli.webhooks import app
from service.database.database import Database
from service.database.webhooks import EVENTS, Event, NoWebhookError, enqueue
from service.webhook_address import AddressRefusedError
from service.webhooks import deliver_due

NOBODY = "http://127.0.0.1:9/aduan"


def test_a_receiver_is_added_and_removed_and_what_it_did_not_get_is_sent_again(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    def webhook(*words: str, private: str = "1") -> Result:
        environment = {"ADUAN_DATABASE_URL": database_url, "ADUAN_HOME": str(tmp_path)}
        environment["ADUAN_WEBHOOK_PRIVATE"] = private
        return CliRunner().invoke(app, [*words, "--portal", "p"], env=environment)

    assert isinstance(webhook("add", NOBODY, private="0").exception, AddressRefusedError)
    made = json.loads(webhook("add", NOBODY, "--event", "release.promoted", "--json").stdout)
    assert made["secret"].startswith("whsec_")
    (listed,) = json.loads(webhook("list", "--json").stdout)
    assert listed == {name: value for name, value in made.items() if name != "secret"}
    said = webhook("add", NOBODY).stderr
    assert all(event in said for event in EVENTS)
    assert made["id"] in webhook("list").stdout
    with database.begin() as connection:
        enqueue(connection, [Event("p", "release.promoted", "r1", {"release": "r1"})])
    deliver_due(database, True, schedule=())
    lost = json.loads(webhook("dead", "--json").stdout)
    assert {delivery["subject"] for delivery in lost} == {"r1"}
    assert lost[0]["id"] in webhook("dead").stdout
    assert "2 pengiriman" in webhook("replay", lost[0]["message_id"]).stderr
    assert webhook("remove", made["id"]).exit_code == 0
    assert isinstance(webhook("remove", made["id"]).exception, NoWebhookError)
