"""Everything a portal relies on: dispositions, users, jobs, messages, repeats, and an append-only audit log."""

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
SQLITE_TRIGGERS = [
    f"CREATE TRIGGER audit_log_no_{verb.lower()} BEFORE {verb} ON audit_log "
    "BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END"
    for verb in ("UPDATE", "DELETE")
]
POSTGRESQL_TRIGGERS = [
    "CREATE FUNCTION audit_log_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit_log is append-only'; END $$",
    "CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_append_only()",
]


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("expires_at", sa.DateTime))
    op.add_column("api_keys", sa.Column("rotated_to", sa.String))
    op.drop_index("one_per_external_id", "suggestions")
    op.rename_table("suggestions", "suggestions_1")
    _tables()
    _keep_suggestions()
    op.drop_table("suggestions_1")
    for statement in SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_TRIGGERS:
        op.execute(statement)


def _keep_suggestions() -> None:
    """The answer of 0.1.0 becomes the whole text of the response. Its request fingerprint was made another way, so
    it is left empty, which fits every repeat."""
    connection = op.get_bind()
    old, new = (sa.Table(name, sa.MetaData(), autoload_with=connection) for name in ("suggestions_1", "suggestions"))
    for row in connection.execute(sa.select(old)).mappings():
        body = dict(row["body"])
        first = (body.get("agencies") or [{}])[0]
        answer = {
            **body,
            "id": row["id"],
            "external_id": row["external_id"] or "",
            "release": row["release"],
            "portal": row["portal"],
            "created_at": row["created_at"].isoformat() + "Z",
        }
        connection.execute(
            sa.insert(new).values(
                **{name: row[name] for name in ("id", "portal", "external_id", "release", "created_at")},
                request_hash="",
                asked_by="",
                channel=row["complaint"].get("channel", ""),
                route=body["route"],
                state="free",
                priority=0.0,
                agency=first.get("code"),
                agency_p=first.get("p"),
                category=(body.get("category") or [{}])[0].get("code"),
                urgency=(body.get("urgency") or {}).get("level"),
                complaint=orjson.dumps(row["complaint"]).decode(),
                answer=orjson.dumps(answer).decode(),
            )
        )


def _tables() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("release", sa.String),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_by_time", "audit_log", ["portal", "at"])
    op.create_table(
        "datasets",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("portal", "fingerprint", name="one_dataset_per_content"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("progress", sa.JSON, nullable=False),
        sa.Column("result", sa.JSON),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("cancel", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("started_at", sa.DateTime),
        sa.Column("finished_at", sa.DateTime),
        sa.Column("leased_until", sa.DateTime),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("jobs_by_state", "jobs", ["state", "created_at"])
    op.create_table(
        "portal_settings",
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("keep_days", sa.Integer),
        sa.PrimaryKeyConstraint("portal"),
    )
    op.create_table(
        "repeats",
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("portal", "key"),
    )
    op.create_index("repeats_by_time", "repeats", ["created_at"])
    op.create_table(
        "suggestions",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("external_id", sa.String),
        sa.Column("request_hash", sa.String, nullable=False),
        sa.Column("release", sa.String),
        sa.Column("asked_by", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("received_at", sa.DateTime),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("route", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("priority", sa.Float, nullable=False),
        sa.Column("agency", sa.String),
        sa.Column("agency_p", sa.Float),
        sa.Column("category", sa.String),
        sa.Column("urgency", sa.String),
        sa.Column("known_words", sa.Float),
        sa.Column("complaint", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("leased_by", sa.String),
        sa.Column("leased_until", sa.DateTime),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("one_per_external_id", "suggestions", ["portal", "external_id"], unique=True)
    op.create_index("suggestions_by_time", "suggestions", ["portal", "created_at"])
    op.create_index("suggestions_waiting", "suggestions", ["portal", "state", "priority"])
    op.create_table(
        "users",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("password_hash", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("disabled_at", sa.DateTime),
        sa.Column("session_version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("portal", "name", name="one_user_per_name"),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("secret", sa.String, nullable=False),
        sa.Column("events", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("removed_at", sa.DateTime),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "webhook_messages",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("messages_of_subject", "webhook_messages", ["portal", "subject"])
    op.create_table(
        "dispositions",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("suggestion_id", sa.String, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("agency", sa.String, nullable=False),
        sa.Column("category", sa.String),
        sa.Column("urgency", sa.String),
        sa.Column("report_type", sa.String),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("undone", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["suggestion_id"],
            ["suggestions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("suggestion_id", "sequence", name="one_disposition_per_sequence"),
    )
    op.create_index("dispositions_by_time", "dispositions", ["portal", "created_at"])
    op.create_table(
        "skips",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("suggestion_id", sa.String, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["suggestion_id"],
            ["suggestions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("skips_of_suggestion", "skips", ["suggestion_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("portal", sa.String, nullable=False),
        sa.Column("message_id", sa.String, nullable=False),
        sa.Column("endpoint_id", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", sa.DateTime, nullable=False),
        sa.Column("last_status", sa.Integer),
        sa.Column("last_error", sa.String, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["webhook_messages.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("deliveries_due", "webhook_deliveries", ["state", "next_attempt_at"])
    op.create_index("deliveries_of_message", "webhook_deliveries", ["message_id"])
