"""Refusals: agencies that said a complaint is not theirs, and what was advised after that."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "refusals",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("suggestion_id", sa.String, sa.ForeignKey("suggestions.id"), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("agency", sa.String, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("first_route", sa.String, nullable=False),
        sa.Column("advised_agency", sa.String, nullable=False),
        sa.Column("advised_category", sa.String, nullable=False),
        sa.Column("advised_urgency", sa.String, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("suggestion_id", "sequence", name="one_refusal_per_sequence"),
    )
    op.create_index("refusals_by_time", "refusals", ["portal", "created_at"])
