"""Points: where the complaint says that its matter is, as coarse as comparing needs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name in ("lat", "lon"):
        op.add_column("resemblances", sa.Column(name, sa.Float))
