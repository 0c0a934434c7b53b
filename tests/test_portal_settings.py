"""What an admin sets for a portal holds for that portal, and is written down."""

from service.database import audit, portal_settings
from service.database.database import Database
from service.database.portal_settings import PortalSettings


def test_what_was_never_set_is_as_it_begins(database: Database) -> None:
    with database.connect() as connection:
        assert portal_settings.of(connection, "kota-kecil") == PortalSettings()


def test_a_change_is_kept_for_one_portal_and_told_in_the_audit_log(database: Database) -> None:
    wanted = PortalSettings(train_every_days=0, double_share=0.2)
    with database.begin() as connection:
        for _ in range(2):
            portal_settings.change(connection, "kota-kecil", "user:sari", wanted)
        assert portal_settings.every(connection) == {"kota-kecil": wanted}
        assert portal_settings.of(connection, "kota-besar") == PortalSettings()
        (entry,) = audit.entries(connection, "kota-kecil")
    assert (entry.who, entry.action) == ("user:sari", "settings.change")
    assert entry.detail == {"train_every_days": 0, "double_share": 0.2}
