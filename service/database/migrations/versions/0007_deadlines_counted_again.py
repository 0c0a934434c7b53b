"""Deadlines that a decision counted again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("suggestions", sa.Column("deadline", sa.Text))
    op.add_column("dispositions", sa.Column("deadline", sa.Text))
    op.add_column("dispositions", sa.Column("deadline_before", sa.Text))
