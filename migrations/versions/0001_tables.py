"""Every table. Rows of persons lead with the tenant; `exposure` is spread over hash partitions by event."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

from geo.functions import FUNCTIONS_SQL

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

EXPOSURE_PARTITIONS = 16


def upgrade() -> None:
    for statement in FUNCTIONS_SQL:
        op.execute(statement)
    op.create_table(
        "audit_entry",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("subject_kind", sa.String(length=40), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("post_id", sa.Uuid(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint("length(action) > 0", name=op.f("ck_audit_entry_action")),
        sa.PrimaryKeyConstraint("registering_state", "audit_id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_registering_state_at", "audit_entry", ["registering_state", "at"], unique=False)
    op.create_index(
        "ix_audit_entry_registering_state_subject_id_at",
        "audit_entry",
        ["registering_state", "subject_id", "at"],
        unique=False,
    )
    op.create_table(
        "clock_tick",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("ticked_to", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("registering_state", name=op.f("pk_clock_tick")),
    )
    op.create_table(
        "crossing",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("crossing_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint(
            "cause in ('message','declaration','move','confirmation','expiry','correction','merge','clock','everything')",
            name=op.f("ck_crossing_cause"),
        ),
        sa.PrimaryKeyConstraint("registering_state", "crossing_id", name=op.f("pk_crossing")),
    )
    op.create_index("ix_crossing_event", "crossing", ["registering_state", "event_id"], unique=False)
    op.create_index(
        "uq_crossing_cause",
        "crossing",
        ["registering_state", "cause", "cause_id"],
        unique=True,
        postgresql_where=sa.text("cause_id is not null"),
    )
    op.create_geospatial_table(
        "event",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("hazards", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "position",
            Geometry(srid=4326, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"),
            nullable=True,
        ),
        sa.Column("lifecycle", sa.String(length=20), server_default=sa.text("'active'"), nullable=False),
        sa.Column("evidence_message_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "lifecycle in ('expected','active','updated','downgraded','cancelled','ended','expired','withdrawn','unknown')",
            name=op.f("ck_event_lifecycle"),
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event")),
    )
    op.create_table(
        "exposure",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("episode", sa.SmallInteger(), nullable=False),
        sa.Column("presence", sa.String(length=8), nullable=False),
        sa.Column("severity_inside", sa.SmallInteger(), nullable=True),
        sa.Column("severity_possible", sa.SmallInteger(), nullable=True),
        sa.Column("zone_inside", sa.Uuid(), nullable=True),
        sa.Column("zone_possible", sa.Uuid(), nullable=True),
        sa.Column("location_inside", sa.Uuid(), nullable=True),
        sa.Column("location_possible", sa.Uuid(), nullable=True),
        sa.Column("cell", sa.BigInteger(), nullable=False),
        sa.Column("country", sa.String(length=3), nullable=False),
        sa.Column("keeper_post_id", sa.Uuid(), nullable=False),
        sa.Column("serving_post_id", sa.Uuid(), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("crossing_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(presence = 'inside') = (severity_inside is not null)", name=op.f("ck_exposure_severity_inside")
        ),
        sa.CheckConstraint(
            "presence = 'inside' or severity_possible is not null", name=op.f("ck_exposure_severity_possible")
        ),
        sa.CheckConstraint("presence in ('inside','possible')", name=op.f("ck_exposure_presence")),
        sa.PrimaryKeyConstraint("registering_state", "event_id", "migrant_id", "episode", name=op.f("pk_exposure")),
        postgresql_partition_by="HASH (event_id)",
    )
    op.create_index("ix_exposure_cell", "exposure", ["registering_state", "event_id", "cell"], unique=False)
    op.create_index("ix_exposure_migrant", "exposure", ["registering_state", "migrant_id"], unique=False)
    op.create_index(
        "uq_exposure_one_open",
        "exposure",
        ["registering_state", "event_id", "migrant_id"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "exposure_change",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("crossing_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.String(length=8), nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("presence_before", sa.String(length=8), nullable=True),
        sa.Column("presence_after", sa.String(length=8), nullable=True),
        sa.Column("severity_before", sa.SmallInteger(), nullable=True),
        sa.Column("severity_after", sa.SmallInteger(), nullable=True),
        sa.Column("keeper_post_id", sa.Uuid(), nullable=False),
        sa.Column("serving_post_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "cause in ('message','declaration','move','confirmation','expiry','correction','merge','clock','everything')",
            name=op.f("ck_exposure_change_cause"),
        ),
        sa.CheckConstraint(
            "change in ('entered','left','raised','lowered','firmed','loosened')",
            name=op.f("ck_exposure_change_change"),
        ),
        sa.PrimaryKeyConstraint(
            "registering_state", "event_id", "crossing_id", "migrant_id", name=op.f("pk_exposure_change")
        ),
    )
    op.create_index("ix_exposure_change_migrant", "exposure_change", ["registering_state", "migrant_id"], unique=False)
    op.create_table(
        "feed",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("cadence_s", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feed")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("registering_state", "principal", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_table(
        "need_code",
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.CheckConstraint("tier between 1 and 5", name=op.f("ck_need_code_tier")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_need_code")),
    )
    op.create_table(
        "population_estimate",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("estimate_id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.String(length=3), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("best", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.CheckConstraint("low <= best and best <= high", name=op.f("ck_population_estimate_range")),
        sa.PrimaryKeyConstraint("registering_state", "estimate_id", name=op.f("pk_population_estimate")),
    )
    op.create_table(
        "raw_document",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_raw_document")),
    )
    op.create_table(
        "recross",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("recross_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cause in ('move','confirmation','correction','merge')", name=op.f("ck_recross_cause")),
        sa.PrimaryKeyConstraint("registering_state", "recross_id", name=op.f("pk_recross")),
    )
    op.create_index("ix_recross_requested_at", "recross", ["registering_state", "requested_at"], unique=False)
    op.create_table(
        "reply",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("reply_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("submission_key", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("covers", sa.String(length=10), nullable=False),
        sa.Column("needs", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.CheckConstraint("answer in ('safe','need_help')", name=op.f("ck_reply_answer")),
        sa.CheckConstraint("covers in ('me','household')", name=op.f("ck_reply_covers")),
        sa.CheckConstraint(
            "array_length(needs, 1) is null or array_length(needs, 1) <= 12", name=op.f("ck_reply_needs")
        ),
        sa.PrimaryKeyConstraint("registering_state", "reply_id", name=op.f("pk_reply")),
        sa.UniqueConstraint(
            "registering_state",
            "token_hash",
            "submission_key",
            name=op.f("uq_reply_registering_state_token_hash_submission_key"),
        ),
    )
    op.create_index(
        "ix_reply_waiting",
        "reply",
        ["registering_state", "received_at"],
        unique=False,
        postgresql_where=sa.text("taken_up_at is null"),
    )
    op.create_table(
        "state",
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_registering", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_state")),
    )
    op.create_geospatial_table(
        "whereabouts",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("firm", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "position",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column("cell", sa.BigInteger(), nullable=True),
        sa.Column("radius_class", sa.SmallInteger(), nullable=False),
        sa.Column("country", sa.String(length=3), nullable=False),
        sa.Column("keeper_post_id", sa.Uuid(), nullable=False),
        sa.Column("serving_post_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("until_at is null or until_at > from_at", name=op.f("ck_whereabouts_order")),
        sa.PrimaryKeyConstraint(
            "registering_state", "migrant_id", "location_id", "from_at", name=op.f("pk_whereabouts")
        ),
    )
    op.create_index("ix_whereabouts_cell", "whereabouts", ["registering_state", "radius_class", "cell"], unique=False)
    op.create_index("ix_whereabouts_country", "whereabouts", ["registering_state", "country"], unique=False)
    op.create_index("ix_whereabouts_from_at", "whereabouts", ["registering_state", "from_at"], unique=False)
    op.create_index("ix_whereabouts_until_at", "whereabouts", ["registering_state", "until_at"], unique=False)
    op.create_geospatial_table(
        "consular_post",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=3), nullable=False),
        sa.Column(
            "position",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("time_zone", sa.Text(), server_default=sa.text("'UTC'"), nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{en}'"), nullable=False),
        sa.Column("confirm_interval_days", sa.Integer(), server_default=sa.text("180"), nullable=False),
        sa.CheckConstraint(
            "kind in ('capital','embassy','consulate_general','consulate','honorary')",
            name=op.f("ck_consular_post_kind"),
        ),
        sa.ForeignKeyConstraint(["registering_state"], ["state.code"], name=op.f("fk_consular_post_registering_state")),
        sa.PrimaryKeyConstraint("registering_state", "post_id", name=op.f("pk_consular_post")),
        sa.UniqueConstraint("registering_state", "name", name=op.f("uq_consular_post_registering_state_name")),
    )
    op.create_table(
        "event_alias",
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.event_id"], name=op.f("fk_event_alias_event_id")),
        sa.PrimaryKeyConstraint("scheme", "alias", name=op.f("pk_event_alias")),
    )
    op.create_index(op.f("ix_event_alias_event_id"), "event_alias", ["event_id"], unique=False)
    op.create_table(
        "feed_fetch",
        sa.Column("fetch_id", sa.Uuid(), nullable=False),
        sa.Column("feed", sa.String(length=60), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rejected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "outcome in ('ok','empty','unchanged','broken','partial')", name=op.f("ck_feed_fetch_outcome")
        ),
        sa.ForeignKeyConstraint(["feed"], ["feed.name"], name=op.f("fk_feed_fetch_feed")),
        sa.PrimaryKeyConstraint("fetch_id", name=op.f("pk_feed_fetch")),
    )
    op.create_index("ix_feed_fetch_feed_started_at", "feed_fetch", ["feed", "started_at"], unique=False)
    op.create_table(
        "message",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("feed", sa.String(length=60), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("native_id", sa.Text(), nullable=False),
        sa.Column("native_version", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("test_suspected", sa.Text(), nullable=True),
        sa.Column("partial", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=True),
        sa.Column("native_severity", sa.Text(), nullable=True),
        sa.Column(
            "references", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("leftover", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column(
            "verdict_reasons", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=20), nullable=True),
        sa.CheckConstraint(
            "ended_by in ('superseded','cancelled','all_clear','expired')", name=op.f("ck_message_ended_by")
        ),
        sa.CheckConstraint(
            "kind in ('alert','update','cancel','all_clear','info','advisory','error')", name=op.f("ck_message_kind")
        ),
        sa.CheckConstraint("status in ('actual','exercise','test','system','draft')", name=op.f("ck_message_status")),
        sa.CheckConstraint("verdict in ('accepted','held','rejected')", name=op.f("ck_message_verdict")),
        sa.ForeignKeyConstraint(["event_id"], ["event.event_id"], name=op.f("fk_message_event_id")),
        sa.ForeignKeyConstraint(["feed"], ["feed.name"], name=op.f("fk_message_feed")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message")),
        sa.UniqueConstraint(
            "feed", "native_id", "native_version", name=op.f("uq_message_feed_native_id_native_version")
        ),
    )
    op.create_index("ix_message_event_id_sent_at", "message", ["event_id", "sent_at"], unique=False)
    op.create_index("ix_message_feed_series", "message", ["feed", "series"], unique=False)
    op.create_table(
        "message_rule",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.String(length=10), server_default=sa.text("'inform'"), nullable=False),
        sa.Column("min_severity_inside", sa.SmallInteger(), nullable=False),
        sa.Column("min_severity_possible", sa.SmallInteger(), nullable=True),
        sa.Column("channel", sa.String(length=10), server_default=sa.text("'email'"), nullable=False),
        sa.Column("expires_after_s", sa.Integer(), server_default=sa.text("86400"), nullable=False),
        sa.Column("max_recipients", sa.Integer(), server_default=sa.text("50000"), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("act = 'inform'", name=op.f("ck_message_rule_inform_only")),
        sa.CheckConstraint("approved_by is null or approved_by <> proposed_by", name=op.f("ck_message_rule_four_eyes")),
        sa.ForeignKeyConstraint(["registering_state"], ["state.code"], name=op.f("fk_message_rule_registering_state")),
        sa.PrimaryKeyConstraint("registering_state", "rule_id", name=op.f("pk_message_rule")),
    )
    op.create_table(
        "message_template",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registering_state"], ["state.code"], name=op.f("fk_message_template_registering_state")
        ),
        sa.PrimaryKeyConstraint("registering_state", "template_id", "language", name=op.f("pk_message_template")),
    )
    op.create_table(
        "quarantine",
        sa.Column("quarantine_id", sa.Uuid(), nullable=False),
        sa.Column("feed", sa.String(length=60), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.String(length=60), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("raw_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["feed"], ["feed.name"], name=op.f("fk_quarantine_feed")),
        sa.ForeignKeyConstraint(["raw_sha256"], ["raw_document.sha256"], name=op.f("fk_quarantine_raw_sha256")),
        sa.PrimaryKeyConstraint("quarantine_id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("feed", "item", "reason_code", name=op.f("uq_quarantine_feed_item_reason_code")),
    )
    op.create_table(
        "situation",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("public_event_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mode", sa.String(length=8), server_default=sa.text("'live'"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("mode in ('live','exercise')", name=op.f("ck_situation_mode")),
        sa.CheckConstraint(
            "public_event_id is null or public_event_id = event_id", name=op.f("ck_situation_public_event")
        ),
        sa.ForeignKeyConstraint(["public_event_id"], ["event.event_id"], name=op.f("fk_situation_public_event_id")),
        sa.ForeignKeyConstraint(["registering_state"], ["state.code"], name=op.f("fk_situation_registering_state")),
        sa.PrimaryKeyConstraint("registering_state", "event_id", name=op.f("pk_situation")),
    )
    op.create_table(
        "staff",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.String(length=80), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=35), server_default=sa.text("'en'"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["registering_state"], ["state.code"], name=op.f("fk_staff_registering_state")),
        sa.PrimaryKeyConstraint("registering_state", "staff_id", name=op.f("pk_staff")),
        sa.UniqueConstraint("registering_state", "login", name=op.f("uq_staff_registering_state_login")),
    )
    op.create_table(
        "alert_decision",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decision in ('accepted','rejected')", name=op.f("ck_alert_decision_decision")),
        sa.ForeignKeyConstraint(["message_id"], ["message.message_id"], name=op.f("fk_alert_decision_message_id")),
        sa.ForeignKeyConstraint(
            ["registering_state"], ["state.code"], name=op.f("fk_alert_decision_registering_state")
        ),
        sa.PrimaryKeyConstraint("registering_state", "decision_id", name=op.f("pk_alert_decision")),
    )
    op.create_index(
        "ix_alert_decision_registering_state_message_id",
        "alert_decision",
        ["registering_state", "message_id"],
        unique=False,
    )
    op.create_table(
        "campaign",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("crossing_id", sa.Uuid(), nullable=True),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drafted_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("recipients", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unreachable", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("mode in ('live','exercise')", name=op.f("ck_campaign_mode")),
        sa.CheckConstraint(
            "status in ('draft','pending_approval','approved','sending','paused','stopped','done')",
            name=op.f("ck_campaign_status"),
        ),
        sa.CheckConstraint(
            "drafted_by is null or approved_by is null or approved_by <> drafted_by", name=op.f("ck_campaign_four_eyes")
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "event_id"],
            ["situation.registering_state", "situation.event_id"],
            name=op.f("fk_campaign_registering_state_event_id"),
        ),
        sa.ForeignKeyConstraint(["registering_state"], ["state.code"], name=op.f("fk_campaign_registering_state")),
        sa.PrimaryKeyConstraint("registering_state", "campaign_id", name=op.f("pk_campaign")),
        sa.UniqueConstraint(
            "registering_state", "campaign_id", "mode", name=op.f("uq_campaign_registering_state_campaign_id_mode")
        ),
        sa.UniqueConstraint(
            "registering_state",
            "rule_id",
            "event_id",
            "crossing_id",
            name=op.f("uq_campaign_registering_state_rule_id_event_id_crossing_id"),
        ),
    )
    op.create_geospatial_table(
        "declared_area",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "geometry",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("declared_by", sa.Uuid(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("severity between 0 and 4", name=op.f("ck_declared_area_severity")),
        sa.ForeignKeyConstraint(
            ["registering_state", "event_id"],
            ["situation.registering_state", "situation.event_id"],
            name=op.f("fk_declared_area_registering_state_event_id"),
        ),
        sa.PrimaryKeyConstraint("registering_state", "area_id", name=op.f("pk_declared_area")),
    )
    op.create_table(
        "exposure_country",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.String(length=3), nullable=False),
        sa.Column("whole_country", sa.Boolean(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("crossing_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registering_state", "event_id"],
            ["situation.registering_state", "situation.event_id"],
            name=op.f("fk_exposure_country_registering_state_event_id"),
        ),
        sa.PrimaryKeyConstraint("registering_state", "event_id", "country", name=op.f("pk_exposure_country")),
    )
    op.create_table(
        "household",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("keeper_post_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["registering_state", "keeper_post_id"],
            ["consular_post.registering_state", "consular_post.post_id"],
            name=op.f("fk_household_registering_state_keeper_post_id"),
        ),
        sa.ForeignKeyConstraint(["registering_state"], ["state.code"], name=op.f("fk_household_registering_state")),
        sa.PrimaryKeyConstraint("registering_state", "household_id", name=op.f("pk_household")),
        sa.UniqueConstraint("registering_state", "reference", name=op.f("uq_household_registering_state_reference")),
    )
    op.create_index("ix_household_keeper", "household", ["registering_state", "keeper_post_id"], unique=False)
    op.create_geospatial_table(
        "jurisdiction",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("jurisdiction_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.String(length=3), nullable=False),
        sa.Column(
            "area",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "post_id"],
            ["consular_post.registering_state", "consular_post.post_id"],
            name=op.f("fk_jurisdiction_registering_state_post_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "jurisdiction_id", name=op.f("pk_jurisdiction")),
    )
    op.create_index(
        "ix_jurisdiction_registering_state_country", "jurisdiction", ["registering_state", "country"], unique=False
    )
    op.create_table(
        "message_source",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("raw_sha256", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.message_id"], name=op.f("fk_message_source_message_id")),
        sa.ForeignKeyConstraint(["raw_sha256"], ["raw_document.sha256"], name=op.f("fk_message_source_raw_sha256")),
        sa.PrimaryKeyConstraint("message_id", "raw_sha256", name=op.f("pk_message_source")),
    )
    op.create_table(
        "message_text",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("language_guessed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("headline", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("instruction", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.message_id"], name=op.f("fk_message_text_message_id")),
        sa.PrimaryKeyConstraint("message_id", "position", name=op.f("pk_message_text")),
    )
    op.create_table(
        "person_list",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("mode", sa.String(length=8), server_default=sa.text("'live'"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("previous_list_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("rule_set", sa.String(length=20), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("household_count", sa.Integer(), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_by", sa.Uuid(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("recipient_class", sa.String(length=30), nullable=True),
        sa.Column("release_note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(status = 'frozen') = (released_at is null) and (released_at is null) = (released_by is null)",
            name=op.f("ck_person_list_release"),
        ),
        sa.CheckConstraint("kind in ('assistance','evacuation')", name=op.f("ck_person_list_kind")),
        sa.CheckConstraint("mode in ('live','exercise')", name=op.f("ck_person_list_mode")),
        sa.CheckConstraint("status in ('frozen','released','withdrawn')", name=op.f("ck_person_list_status")),
        sa.CheckConstraint(
            "frozen_by is null or released_by is null or released_by <> frozen_by",
            name=op.f("ck_person_list_four_eyes"),
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "event_id"],
            ["situation.registering_state", "situation.event_id"],
            name=op.f("fk_person_list_registering_state_event_id"),
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "post_id"],
            ["consular_post.registering_state", "consular_post.post_id"],
            name=op.f("fk_person_list_registering_state_post_id"),
        ),
        sa.PrimaryKeyConstraint("registering_state", "list_id", name=op.f("pk_person_list")),
        sa.UniqueConstraint(
            "registering_state",
            "event_id",
            "post_id",
            "kind",
            "version",
            name=op.f("uq_person_list_registering_state_event_id_post_id_kind_version"),
        ),
        sa.UniqueConstraint(
            "registering_state", "list_id", "mode", name=op.f("uq_person_list_registering_state_list_id_mode")
        ),
    )
    op.create_table(
        "post_key",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("master_key_id", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["registering_state", "post_id"],
            ["consular_post.registering_state", "consular_post.post_id"],
            name=op.f("fk_post_key_registering_state_post_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "post_id", name=op.f("pk_post_key")),
    )
    op.create_table(
        "staff_role",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.CheckConstraint(
            "role in ('officer','crisis_cell','approver','responder','auditor','operator')",
            name=op.f("ck_staff_role_role"),
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "post_id"],
            ["consular_post.registering_state", "consular_post.post_id"],
            name=op.f("fk_staff_role_registering_state_post_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "staff_id"],
            ["staff.registering_state", "staff.staff_id"],
            name=op.f("fk_staff_role_registering_state_staff_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "staff_id", "post_id", "role", name=op.f("pk_staff_role")),
    )
    op.create_table(
        "staff_session",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["registering_state", "staff_id"],
            ["staff.registering_state", "staff.staff_id"],
            name=op.f("fk_staff_session_registering_state_staff_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "token_hash", name=op.f("pk_staff_session")),
    )
    op.create_geospatial_table(
        "zone",
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("firm", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.Column(
            "geometry",
            Geometry(srid=4326, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"),
            nullable=True,
        ),
        sa.Column("severity", sa.SmallInteger(), nullable=True),
        sa.Column("native_severity", sa.Text(), nullable=True),
        sa.Column("band_min", sa.Float(), nullable=True),
        sa.Column("band_max", sa.Float(), nullable=True),
        sa.Column("band_unit", sa.String(length=12), nullable=True),
        sa.Column("label", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=20), nullable=True),
        sa.CheckConstraint("severity between 0 and 4", name=op.f("ck_zone_severity")),
        sa.ForeignKeyConstraint(["event_id"], ["event.event_id"], name=op.f("fk_zone_event_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.message_id"], name=op.f("fk_zone_message_id")),
        sa.PrimaryKeyConstraint("zone_id", name=op.f("pk_zone")),
    )
    op.create_index("ix_zone_event_id", "zone", ["event_id"], unique=False)
    op.create_geospatial_index(
        "ix_zone_geometry", "zone", ["geometry"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index("ix_zone_message_id", "zone", ["message_id"], unique=False)
    op.create_geospatial_table(
        "declared_cell",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=False),
        sa.Column("radius_class", sa.SmallInteger(), nullable=False),
        sa.Column("cell_from", sa.BigInteger(), nullable=False),
        sa.Column("cell_to", sa.BigInteger(), nullable=False),
        sa.Column(
            "piece",
            Geometry(srid=4326, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"),
            nullable=True,
        ),
        sa.CheckConstraint("cell_from <= cell_to", name=op.f("ck_declared_cell_range")),
        sa.ForeignKeyConstraint(
            ["registering_state", "area_id"],
            ["declared_area.registering_state", "declared_area.area_id"],
            name=op.f("fk_declared_cell_registering_state_area_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "registering_state", "area_id", "radius_class", "cell_from", name=op.f("pk_declared_cell")
        ),
    )
    op.create_index(
        "ix_declared_cell_stab",
        "declared_cell",
        ["registering_state", "radius_class", "cell_from", "cell_to"],
        unique=False,
    )
    op.create_table(
        "declared_country",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["registering_state", "area_id"],
            ["declared_area.registering_state", "declared_area.area_id"],
            name=op.f("fk_declared_country_registering_state_area_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "area_id", "country", name=op.f("pk_declared_country")),
    )
    op.create_table(
        "list_departure",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["registering_state", "list_id"],
            ["person_list.registering_state", "person_list.list_id"],
            name=op.f("fk_list_departure_registering_state_list_id"),
        ),
        sa.PrimaryKeyConstraint("registering_state", "list_id", "migrant_id", name=op.f("pk_list_departure")),
    )
    op.create_index("ix_list_departure_migrant", "list_departure", ["registering_state", "migrant_id"], unique=False)
    op.create_table(
        "list_run",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("crossing_id", sa.Uuid(), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("post_id", sa.Uuid(), nullable=True),
        sa.Column("news", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(event_id is null) = (post_id is null)", name=op.f("ck_list_run_post_of_event")),
        sa.CheckConstraint("crossing_id is not null or post_id is not null", name=op.f("ck_list_run_subject")),
        sa.PrimaryKeyConstraint("registering_state", "run_id", name=op.f("pk_list_run")),
    )
    op.create_index("ix_list_run_latest", "list_run", ["registering_state", "event_id", "post_id", "at"], unique=False)
    op.create_index(
        "uq_list_run_crossing",
        "list_run",
        ["registering_state", "crossing_id"],
        unique=True,
        postgresql_where=sa.text("post_id is null"),
    )
    op.create_index(
        "uq_list_run_post",
        "list_run",
        ["registering_state", "crossing_id", "event_id", "post_id"],
        unique=True,
        postgresql_where=sa.text("crossing_id is not null and post_id is not null"),
    )
    op.create_table(
        "list_line",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("household_rank", sa.Integer(), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("presence", sa.String(length=9), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=True),
        sa.Column("change", sa.String(length=10), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("line_hash", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("change in ('new','same','changed')", name=op.f("ck_list_line_change")),
        sa.CheckConstraint(
            "presence in ('inside','possible','unknown','safe_area')", name=op.f("ck_list_line_presence")
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "list_id"],
            ["person_list.registering_state", "person_list.list_id"],
            name=op.f("fk_list_line_registering_state_list_id"),
        ),
        sa.PrimaryKeyConstraint("registering_state", "list_id", "line_no", name=op.f("pk_list_line")),
    )
    op.create_index("ix_list_line_migrant", "list_line", ["registering_state", "migrant_id"], unique=False)
    op.create_table(
        "migrant",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("keeper_post_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("category", sa.String(length=10), server_default=sa.text("'national'"), nullable=False),
        sa.Column("is_head", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("relation_to_head", sa.String(length=20), server_default=sa.text("'self'"), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("given_names", sa.Text(), nullable=False),
        sa.Column("family_name_original", sa.Text(), nullable=True),
        sa.Column("given_names_original", sa.Text(), nullable=True),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("sex", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=True),
        sa.Column("language", sa.String(length=35), server_default=sa.text("'en'"), nullable=False),
        sa.Column("record_origin", sa.String(length=20), nullable=False),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.Column("family_disclosure", sa.String(length=20), server_default=sa.text("'relay'"), nullable=False),
        sa.Column("lives_apart", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("protected", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state_of_record", sa.String(length=12), server_default=sa.text("'registered'"), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("basis in ('consent','vital_interest','public_task')", name=op.f("ck_migrant_basis")),
        sa.CheckConstraint(
            "category in ('national','family','stateless','entrusted')", name=op.f("ck_migrant_category")
        ),
        sa.CheckConstraint(
            "family_disclosure in ('nothing','relay','safe_only','all')", name=op.f("ck_migrant_family_disclosure")
        ),
        sa.CheckConstraint(
            "record_origin in ('self','officer','group','import','reported','crisis')",
            name=op.f("ck_migrant_record_origin"),
        ),
        sa.CheckConstraint(
            "state_of_record in ('registered','returned','deceased')", name=op.f("ck_migrant_state_of_record")
        ),
        sa.CheckConstraint("sex in (0,1,2,9)", name=op.f("ck_migrant_sex_iso_5218")),
        sa.ForeignKeyConstraint(
            ["registering_state", "household_id"],
            ["household.registering_state", "household.household_id"],
            name=op.f("fk_migrant_registering_state_household_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "keeper_post_id"],
            ["consular_post.registering_state", "consular_post.post_id"],
            name=op.f("fk_migrant_registering_state_keeper_post_id"),
        ),
        sa.PrimaryKeyConstraint("registering_state", "migrant_id", name=op.f("pk_migrant")),
        sa.UniqueConstraint("registering_state", "reference", name=op.f("uq_migrant_registering_state_reference")),
    )
    op.create_index("ix_migrant_household", "migrant", ["registering_state", "household_id"], unique=False)
    op.create_index("ix_migrant_keeper", "migrant", ["registering_state", "keeper_post_id"], unique=False)
    op.create_index(
        "ix_migrant_name_key",
        "migrant",
        ["registering_state", "name_key"],
        unique=False,
        postgresql_ops={"name_key": "text_pattern_ops"},
    )
    op.create_index(
        "uq_migrant_one_head",
        "migrant",
        ["registering_state", "household_id"],
        unique=True,
        postgresql_where=sa.text("is_head"),
    )
    op.create_table(
        "notification",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("contact_point_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("status", sa.String(length=20), server_default=sa.text("'created'"), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("keeper_post_id", sa.Uuid(), nullable=False),
        sa.Column("serving_post_id", sa.Uuid(), nullable=True),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("last_error", sa.String(length=60), nullable=True),
        sa.CheckConstraint("mode in ('live','exercise')", name=op.f("ck_notification_mode")),
        sa.CheckConstraint(
            "status in ('created','sending','sent','delivered','uncertain','temporary_failure','permanent_failure','expired','stopped')",
            name=op.f("ck_notification_status"),
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "campaign_id", "mode"],
            ["campaign.registering_state", "campaign.campaign_id", "campaign.mode"],
            name=op.f("fk_notification_registering_state_campaign_id_mode"),
        ),
        sa.PrimaryKeyConstraint("registering_state", "notification_id", name=op.f("pk_notification")),
        sa.UniqueConstraint(
            "registering_state",
            "campaign_id",
            "migrant_id",
            "channel",
            "revision",
            name=op.f("uq_notification_registering_state_campaign_id_migrant_id_channel_revision"),
        ),
    )
    op.create_index(
        "ix_notification_due",
        "notification",
        ["registering_state", "run_at", "notification_id"],
        unique=False,
        postgresql_where=sa.text("status in ('created','sending','uncertain','temporary_failure')"),
    )
    op.create_index("ix_notification_event", "notification", ["registering_state", "event_id"], unique=False)
    op.create_index("ix_notification_migrant", "notification", ["registering_state", "migrant_id"], unique=False)
    op.create_geospatial_table(
        "zone_cell",
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("radius_class", sa.SmallInteger(), nullable=False),
        sa.Column("cell_from", sa.BigInteger(), nullable=False),
        sa.Column("cell_to", sa.BigInteger(), nullable=False),
        sa.Column(
            "piece",
            Geometry(srid=4326, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"),
            nullable=True,
        ),
        sa.CheckConstraint("cell_from <= cell_to", name=op.f("ck_zone_cell_range")),
        sa.ForeignKeyConstraint(["zone_id"], ["zone.zone_id"], name=op.f("fk_zone_cell_zone_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("zone_id", "radius_class", "cell_from", name=op.f("pk_zone_cell")),
    )
    op.create_index(
        "ix_zone_cell_radius_class_cell_from_cell_to",
        "zone_cell",
        ["radius_class", "cell_from", "cell_to"],
        unique=False,
    )
    op.create_table(
        "zone_country",
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["zone.zone_id"], name=op.f("fk_zone_country_zone_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("zone_id", "country", name=op.f("pk_zone_country")),
    )
    op.create_table(
        "answer_link",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("event_title", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("household_size", sa.SmallInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["registering_state", "notification_id"],
            ["notification.registering_state", "notification.notification_id"],
            name=op.f("fk_answer_link_registering_state_notification_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "token_hash", name=op.f("pk_answer_link")),
    )
    op.create_index(
        "ix_answer_link_notification", "answer_link", ["registering_state", "notification_id"], unique=False
    )
    op.create_table(
        "consent",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("recipient_class", sa.String(length=30), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("text_version", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["registering_state", "migrant_id"],
            ["migrant.registering_state", "migrant.migrant_id"],
            name=op.f("fk_consent_registering_state_migrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "consent_id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_migrant", "consent", ["registering_state", "migrant_id"], unique=False)
    op.create_table(
        "contact_entry",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("trust", sa.String(length=14), nullable=False),
        sa.Column("source_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('attempted','handed_over','delivered','failed','answered')", name=op.f("ck_contact_entry_state")
        ),
        sa.CheckConstraint(
            "trust in ('authenticated','token','known_address','unknown')", name=op.f("ck_contact_entry_trust")
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "migrant_id"],
            ["migrant.registering_state", "migrant.migrant_id"],
            name=op.f("fk_contact_entry_registering_state_migrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "entry_id", name=op.f("pk_contact_entry")),
    )
    op.create_index(
        "ix_contact_entry_migrant", "contact_entry", ["registering_state", "event_id", "migrant_id"], unique=False
    )
    op.create_table(
        "contact_point",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("contact_point_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("blind_index", sa.LargeBinary(), nullable=False),
        sa.Column("preferred", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("others_read_it", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel in ('email','sms','phone','whatsapp')", name=op.f("ck_contact_point_channel")),
        sa.ForeignKeyConstraint(
            ["registering_state", "migrant_id"],
            ["migrant.registering_state", "migrant.migrant_id"],
            name=op.f("fk_contact_point_registering_state_migrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "contact_point_id", name=op.f("pk_contact_point")),
    )
    op.create_index("ix_contact_point_blind_index", "contact_point", ["registering_state", "blind_index"], unique=False)
    op.create_index("ix_contact_point_migrant", "contact_point", ["registering_state", "migrant_id"], unique=False)
    op.create_table(
        "delivery_attempt",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("detail", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["registering_state", "notification_id"],
            ["notification.registering_state", "notification.notification_id"],
            name=op.f("fk_delivery_attempt_registering_state_notification_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "notification_id", "attempt", name=op.f("pk_delivery_attempt")),
    )
    op.create_geospatial_table(
        "location",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("stay_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column(
            "position",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column(
            "cell",
            sa.BigInteger(),
            sa.Computed("geo_cell(st_x(position), st_y(position))", persisted=True),
            nullable=True,
        ),
        sa.Column("accuracy_m", sa.Float(), nullable=True),
        sa.Column("radius_class", sa.SmallInteger(), nullable=False),
        sa.Column("country", sa.String(length=3), nullable=False),
        sa.Column("serving_post_id", sa.Uuid(), nullable=True),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retracted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "source in ('check_in','officer','third_party','detention','vessel','flight','trip_leg','residence','jurisdiction')",
            name=op.f("ck_location_source"),
        ),
        sa.CheckConstraint("(position is null) = (radius_class = 6)", name=op.f("ck_location_position_unless_country")),
        sa.CheckConstraint("radius_class between 1 and 6", name=op.f("ck_location_radius_class")),
        sa.CheckConstraint("valid_until is null or valid_until > valid_from", name=op.f("ck_location_order")),
        sa.ForeignKeyConstraint(
            ["registering_state", "migrant_id"],
            ["migrant.registering_state", "migrant.migrant_id"],
            name=op.f("fk_location_registering_state_migrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "location_id", name=op.f("pk_location")),
    )
    op.create_index("ix_location_migrant", "location", ["registering_state", "migrant_id"], unique=False)
    op.create_table(
        "movement_entry",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("trust", sa.String(length=14), nullable=False),
        sa.Column("source_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('called_forward','staged','boarded','no_show','denied','departed','at_hub','admitted','onward','home','handed_over')",
            name=op.f("ck_movement_entry_state"),
        ),
        sa.CheckConstraint(
            "trust in ('authenticated','token','known_address','unknown')", name=op.f("ck_movement_entry_trust")
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "migrant_id"],
            ["migrant.registering_state", "migrant.migrant_id"],
            name=op.f("fk_movement_entry_registering_state_migrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "entry_id", name=op.f("pk_movement_entry")),
    )
    op.create_index(
        "ix_movement_entry_migrant", "movement_entry", ["registering_state", "event_id", "migrant_id"], unique=False
    )
    op.create_table(
        "nationality",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.String(length=3), nullable=False),
        sa.Column("access_limitation", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["registering_state", "migrant_id"],
            ["migrant.registering_state", "migrant.migrant_id"],
            name=op.f("fk_nationality_registering_state_migrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "migrant_id", "country", name=op.f("pk_nationality")),
    )
    op.create_table(
        "need",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("need_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=True),
        sa.Column("days_left", sa.SmallInteger(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["code"], ["need_code.code"], name=op.f("fk_need_code")),
        sa.ForeignKeyConstraint(
            ["registering_state", "migrant_id"],
            ["migrant.registering_state", "migrant.migrant_id"],
            name=op.f("fk_need_registering_state_migrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "need_id", name=op.f("pk_need")),
    )
    op.create_index("ix_need_migrant", "need", ["registering_state", "migrant_id"], unique=False)
    op.create_table(
        "person_key",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registering_state", "migrant_id"],
            ["migrant.registering_state", "migrant.migrant_id"],
            name=op.f("fk_person_key_registering_state_migrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "migrant_id", name=op.f("pk_person_key")),
    )
    op.create_table(
        "stay",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("stay_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("host_state", sa.String(length=3), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('residence','trip_leg')", name=op.f("ck_stay_kind")),
        sa.CheckConstraint("until_at is null or until_at > from_at", name=op.f("ck_stay_order")),
        sa.ForeignKeyConstraint(
            ["registering_state", "migrant_id"],
            ["migrant.registering_state", "migrant.migrant_id"],
            name=op.f("fk_stay_registering_state_migrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "stay_id", name=op.f("pk_stay")),
    )
    op.create_index("ix_stay_migrant", "stay", ["registering_state", "migrant_id"], unique=False)
    op.create_table(
        "travel_document",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("issuing_country", sa.String(length=3), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("blind_index", sa.LargeBinary(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("held", sa.String(length=20), server_default=sa.text("'by_holder'"), nullable=False),
        sa.CheckConstraint(
            "held in ('by_holder','by_employer','by_authority','confiscated','lost','none')",
            name=op.f("ck_travel_document_held"),
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "migrant_id"],
            ["migrant.registering_state", "migrant.migrant_id"],
            name=op.f("fk_travel_document_registering_state_migrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "document_id", name=op.f("pk_travel_document")),
    )
    op.create_index(
        "ix_travel_document_blind_index", "travel_document", ["registering_state", "blind_index"], unique=False
    )
    op.create_index("ix_travel_document_migrant", "travel_document", ["registering_state", "migrant_id"], unique=False)
    op.create_table(
        "welfare_entry",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("migrant_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("trust", sa.String(length=14), nullable=False),
        sa.Column("source_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('safe','need','sought','found','injured','dead')", name=op.f("ck_welfare_entry_state")
        ),
        sa.CheckConstraint(
            "trust in ('authenticated','token','known_address','unknown')", name=op.f("ck_welfare_entry_trust")
        ),
        sa.ForeignKeyConstraint(
            ["registering_state", "migrant_id"],
            ["migrant.registering_state", "migrant.migrant_id"],
            name=op.f("fk_welfare_entry_registering_state_migrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("registering_state", "entry_id", name=op.f("pk_welfare_entry")),
    )
    op.create_index(
        "ix_welfare_entry_migrant", "welfare_entry", ["registering_state", "event_id", "migrant_id"], unique=False
    )
    op.create_table(
        "alert_standing",
        sa.Column("registering_state", sa.String(length=3), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.message_id"], name=op.f("fk_alert_standing_message_id")),
        sa.ForeignKeyConstraint(
            ["registering_state"], ["state.code"], name=op.f("fk_alert_standing_registering_state")
        ),
        sa.PrimaryKeyConstraint("registering_state", "message_id", name=op.f("pk_alert_standing")),
    )
    for remainder in range(EXPOSURE_PARTITIONS):
        op.execute(
            f"create table exposure_p{remainder} partition of exposure "
            f"for values with (modulus {EXPOSURE_PARTITIONS}, remainder {remainder})"
        )


def downgrade() -> None:
    raise NotImplementedError("the first migration has no way back: restore a backup instead")
