"""The two desks: second looks, drafts of data sets and their versions, logs of jobs, releases in the shadow."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
QUEUE = ["portal", "state", "route", "leased_by", "leased_until", "due_at", "priority", "created_at", "id"]


def upgrade() -> None:
    op.add_column("suggestions", sa.Column("due_at", sa.DateTime))
    op.add_column("suggestions", sa.Column("seen_at", sa.DateTime))
    op.add_column("suggestions", sa.Column("sampled", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("suggestions", sa.Column("looks", sa.Integer, nullable=False, server_default="1"))
    op.add_column("datasets", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.add_column("datasets", sa.Column("replaced_by", sa.String))
    for name, kind in (
        ("train_every_days", sa.Integer),
        ("train_after", sa.Integer),
        ("sampled_share", sa.Float),
        ("double_share", sa.Float),
        ("shadow_release", sa.String),
    ):
        op.add_column("portal_settings", sa.Column(name, kind))
    op.drop_index("suggestions_waiting", "suggestions")
    op.create_index("suggestions_waiting", "suggestions", QUEUE)
    _reviewing()
    _learning()


def _reviewing() -> None:
    op.create_table(
        "judgements",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("suggestion_id", sa.String, sa.ForeignKey("suggestions.id"), nullable=False),
        sa.Column("look", sa.Integer, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("agency", sa.String, nullable=False),
        sa.Column("category", sa.String),
        sa.Column("urgency", sa.String),
        sa.Column("report_type", sa.String),
        sa.Column("seconds", sa.Float),
        sa.Column("undone", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_index("judgements_of_suggestion", "judgements", ["suggestion_id"])
    op.create_index("judgements_by_time", "judgements", ["portal", "created_at"])
    op.create_table(
        "shadow_answers",
        sa.Column("suggestion_id", sa.String, sa.ForeignKey("suggestions.id"), primary_key=True),
        sa.Column("release", sa.String, primary_key=True),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("agency", sa.String),
        sa.Column("agency_p", sa.Float),
        sa.Column("category", sa.String),
        sa.Column("urgency", sa.String),
        sa.Column("route", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_index("shadow_answers_by_time", "shadow_answers", ["portal", "release", "created_at"])


def _learning() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("read", sa.JSON, nullable=False),
        sa.Column("fixes", sa.JSON, nullable=False),
        sa.Column("findings", sa.JSON),
        sa.Column("job_id", sa.String),
        sa.Column("replaces", sa.String),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
    )
    op.create_table(
        "job_log",
        sa.Column("id", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("job_id", sa.String, sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("message", sa.String, nullable=False),
    )
    op.create_index("job_log_of_job", "job_log", ["job_id"])
