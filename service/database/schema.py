"""The tables as they are now; `migrations` says how they came to be. Texts arrive masked."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)


class Moment(TypeDecorator[datetime]):
    """A point in time: aware in Python, UTC without a zone in every database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None


Serial = BigInteger().with_variant(Integer, "sqlite")
schema = MetaData()

api_keys = Table(
    "api_keys",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("name", String, nullable=False),
    Column("hash", String, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("expires_at", Moment),
    Column("rotated_to", String),
)

users = Table(
    "users",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("name", String, nullable=False),
    Column("password_hash", String, nullable=False),
    Column("role", String, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
    Column("session_version", Integer, nullable=False),
    UniqueConstraint("portal", "name", name="one_user_per_name"),
)

_QUEUE = ("portal", "state", "route", "leased_by", "leased_until", "due_at", "priority", "created_at", "id")
"""All that choosing the next complaint reads: in the rows it stands behind the long texts."""
suggestions = Table(
    "suggestions",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("external_id", String),
    Column("request_hash", String, nullable=False),
    Column("release", String),
    Column("asked_by", String, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("received_at", Moment),
    Column("channel", String, nullable=False),
    Column("route", String, nullable=False),
    Column("state", String, nullable=False),
    Column("priority", Float, nullable=False),
    Column("agency", String),
    Column("agency_p", Float),
    Column("category", String),
    Column("urgency", String),
    Column("known_words", Float),
    Column("complaint", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("leased_by", String),
    Column("leased_until", Moment),
    Column("due_at", Moment),
    Column("deadline", Text),
    Column("seen_at", Moment),
    Column("sampled", Boolean, nullable=False, default=False, server_default=false()),
    Column("looks", Integer, nullable=False, default=1, server_default="1"),
    Index("one_per_external_id", "portal", "external_id", unique=True),
    Index("suggestions_by_time", "portal", "created_at"),
    Index("suggestions_waiting", *_QUEUE),
)
"""`complaint` and `answer` are JSON text. `state` is "open" (a person still has to look), "second" and "third"
(disposed of, but a second person should look too, or a third has to settle what two see differently), "done" (disposed
of) or "free" (nobody has to look). `priority` orders the queue, highest first. `known_words` is the share of the
complaint's words that the model knows. `seen_at` is when a person first had it on the screen, `sampled` marks a sure
answer that a person looks at all the same, `looks` is how many people should look at it. `deadline` is the JSON
text of one that a decision counted again, "null" for none, NULL as long as the answered one holds; `due_at` is when the
one in force ends. All else is as the model first said it, but for `route`, which a refusal changes; see `refusals`."""

dispositions = Table(
    "dispositions",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("suggestion_id", ForeignKey("suggestions.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("agency", String, nullable=False),
    Column("category", String),
    Column("urgency", String),
    Column("report_type", String),
    Column("by", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("source", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("undone", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("deadline", Text),
    Column("deadline_before", Text),
    UniqueConstraint("suggestion_id", "sequence", name="one_disposition_per_sequence"),
    Index("dispositions_by_time", "portal", "created_at"),
)
"""`source` is "api", "import" or "review"; `outcome` is "accepted" (the suggested agency and category), "changed",
or "scratch" (nothing was suggested). The disposition in force is the one with the highest sequence not undone.
`deadline` and `deadline_before` are those of the suggestion with it and without it."""

refusals = Table(
    "refusals",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("suggestion_id", ForeignKey("suggestions.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("agency", String, nullable=False),
    Column("by", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("source", String, nullable=False),
    Column("first_route", String, nullable=False),
    Column("advised_agency", String, nullable=False),
    Column("advised_category", String, nullable=False),
    Column("advised_urgency", String, nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("suggestion_id", "sequence", name="one_refusal_per_sequence"),
    Index("refusals_by_time", "portal", "created_at"),
)
"""`agency` said that a complaint is not its matter; rows are added and never changed. `answer` is what is advised since
then, without any that refused; the `advised_` columns are what it ranks first, "" for nothing. `first_route` is what
the model said before anybody refused. `source` is as in `dispositions`."""

skips = Table(
    "skips",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("suggestion_id", ForeignKey("suggestions.id"), nullable=False),
    Column("by", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("skips_of_suggestion", "suggestion_id"),
)

judgements = Table(
    "judgements",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("suggestion_id", ForeignKey("suggestions.id"), nullable=False),
    Column("look", Integer, nullable=False),
    Column("by", String, nullable=False),
    Column("agency", String, nullable=False),
    Column("category", String),
    Column("urgency", String),
    Column("report_type", String),
    Column("seconds", Float),
    Column("undone", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("judgements_of_suggestion", "suggestion_id"),
    Index("judgements_by_time", "portal", "created_at"),
)
"""What each reviewer said, without knowing of the others: look 1, 2, and 3 where 1 and 2 differ. `seconds` is how
long it was on the screen. The disposition in force is another matter: see `dispositions`."""

shadow_answers = Table(
    "shadow_answers",
    schema,
    Column("suggestion_id", ForeignKey("suggestions.id"), primary_key=True),
    Column("release", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("agency", String),
    Column("agency_p", Float),
    Column("category", String),
    Column("urgency", String),
    Column("route", String, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("shadow_answers_by_time", "portal", "release", "created_at"),
)
"""What a release that is not in force would have answered; nobody was told."""

resemblances = Table(
    "resemblances",
    schema,
    Column("id", Serial, primary_key=True, autoincrement=False),
    Column("portal", String, nullable=False),
    Column("suggestion_id", ForeignKey("suggestions.id"), nullable=False, unique=True),
    Column("category", String, nullable=False),
    Column("sender", String, nullable=False),
    Column("said_at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("signature", Text, nullable=False),
    Column("found_by", Text, nullable=False),
    Column("lat", Float),
    Column("lon", Float),
    Index("resemblances_until", "until"),
)
"""What a complaint is recognised by, of its masked words, while others may still resemble it. Later ones have a higher
`id`. `sender` is a keyed hash, "" if it is not known; `signature` and `found_by` (its keys) are numbers in base64.
`lat` and `lon` are rounded to 11 metres, both null if they were not given."""

resemblance_keys = Table(
    "resemblance_keys",
    schema,
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("resemblance", BigInteger, primary_key=True, autoincrement=False),
    Column("portal", String, nullable=False),
    sqlite_with_rowid=False,
)
"""Under which keys `resemblances` are found; `key` is a hash into which the portal's code went too."""

resemblance_links = Table(
    "resemblance_links",
    schema,
    Column("later", ForeignKey("suggestions.id"), primary_key=True),
    Column("earlier", ForeignKey("suggestions.id"), primary_key=True),
    Column("portal", String, nullable=False),
    Index("links_to_earlier", "earlier"),
)
"""Which earlier complaints an answer names."""

repeats = Table(
    "repeats",
    schema,
    Column("portal", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("repeats_by_time", "created_at"),
)
"""What was answered under an `Idempotency-Key`."""

audit_log = Table(
    "audit_log",
    schema,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("portal", String, nullable=False),
    Column("who", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("release", String),
    Column("detail", JSON, nullable=False),
    Index("audit_by_time", "portal", "at"),
)
"""Append-only: a trigger refuses every change and every deletion. Never holds text of a complaint."""

webhook_endpoints = Table(
    "webhook_endpoints",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("url", String, nullable=False),
    Column("secret", String, nullable=False),
    Column("events", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("removed_at", Moment),
)

webhook_messages = Table(
    "webhook_messages",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("type", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("payload", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("messages_of_subject", "portal", "subject"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("message_id", ForeignKey("webhook_messages.id"), nullable=False),
    Column("endpoint_id", ForeignKey("webhook_endpoints.id"), nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Moment, nullable=False),
    Column("last_status", Integer),
    Column("last_error", String, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("deliveries_due", "state", "next_attempt_at"),
    Index("deliveries_of_message", "message_id"),
)
"""`state` is "pending", "delivered" or "dead"."""

datasets = Table(
    "datasets",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("name", String, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String, nullable=False),
    Column("version", Integer, nullable=False, default=1, server_default="1"),
    Column("replaced_by", String),
    UniqueConstraint("portal", "fingerprint", name="one_dataset_per_content"),
)
"""`content` is a Parquet file with the masked rows. Of the versions of a data set only the one that nothing replaced
is learned from."""

drafts = Table(
    "drafts",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("name", String, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("read", JSON, nullable=False),
    Column("fixes", JSON, nullable=False),
    Column("findings", JSON),
    Column("job_id", String),
    Column("replaces", String),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String, nullable=False),
)
"""Masked rows that an admin uploaded and has not added yet. `read` says what reading left out, `fixes` what is to be
changed on adding, `findings` is what the check of `job_id` found."""

jobs = Table(
    "jobs",
    schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("request", JSON, nullable=False),
    Column("progress", JSON, nullable=False),
    Column("result", JSON),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("cancel", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("leased_until", Moment),
    Index("jobs_by_state", "state", "created_at"),
)
"""`state` is "queued", "running", "done", "failed" or "cancelled"."""

job_log = Table(
    "job_log",
    schema,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("portal", String, nullable=False),
    Column("job_id", ForeignKey("jobs.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("message", String, nullable=False),
    Index("job_log_of_job", "job_id"),
)

portal_settings = Table(
    "portal_settings",
    schema,
    Column("portal", String, primary_key=True),
    Column("keep_days", Integer),
    Column("train_every_days", Integer),
    Column("train_after", Integer),
    Column("sampled_share", Float),
    Column("double_share", Float),
    Column("shadow_release", String),
)
"""What an operator set for one portal; NULL leaves the service's own setting in force."""
