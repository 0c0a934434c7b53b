"""Resemblances: by what complaints are recognised that are sent again, or about the same thing."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "resemblances",
        sa.Column("id", SERIAL, primary_key=True, autoincrement=False),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("suggestion_id", sa.String, sa.ForeignKey("suggestions.id"), nullable=False, unique=True),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("sender", sa.String, nullable=False),
        sa.Column("said_at", sa.DateTime, nullable=False),
        sa.Column("until", sa.DateTime, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("found_by", sa.Text, nullable=False),
    )
    op.create_index("resemblances_until", "resemblances", ["until"])
    op.create_table(
        "resemblance_keys",
        sa.Column("key", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("resemblance", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("portal", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "resemblance_links",
        sa.Column("later", sa.String, sa.ForeignKey("suggestions.id"), primary_key=True),
        sa.Column("earlier", sa.String, sa.ForeignKey("suggestions.id"), primary_key=True),
        sa.Column("portal", sa.String, nullable=False),
    )
    op.create_index("links_to_earlier", "resemblance_links", ["earlier"])
