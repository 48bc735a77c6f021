"""Isolation: grants per role, forced row-level security on every tenant table, append-only by grants.

No running role owns a table, is superuser or bypasses row-level security (`micic_backup` alone bypasses it, and
only reads). A row is visible under the context that `micic.security.context` sets with SET LOCAL.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATE = "registering_state = current_setting('micic.state', true)"
POSTS = "(select micic_posts())::uuid[]"
OPEN_SERVED = (
    "exists (select 1 from exposure e where e.registering_state = migrant.registering_state"
    " and e.migrant_id = migrant.migrant_id and e.ended_at is null"
    f" and e.serving_post_id = any({POSTS}))"
)

REFERENCE = (
    "state need_code feed feed_fetch raw_document quarantine event event_alias message message_source message_text zone"
    " zone_cell zone_country"
).split()
PUBLIC_ALERT_TABLES = [table for table in REFERENCE if table not in ("state", "need_code")]

# What an officer's connection sees, beside the tenant: table -> condition.
OF_MIGRANT = (
    "contact_point travel_document need stay location consent nationality person_key contact_entry welfare_entry"
    " movement_entry"
).split()
OF_POST_EITHER_WAY = "whereabouts exposure exposure_change notification".split()
OF_LIST = "list_line list_departure".split()
OF_NOTIFICATION = "delivery_attempt answer_link".split()
OF_STATE = (
    "consular_post post_key jurisdiction staff staff_role staff_session situation alert_decision declared_area"
    " declared_cell declared_country crossing exposure_country clock_tick population_estimate message_template"
    " message_rule campaign audit_entry idempotency_key reply recross list_run alert_standing"
).split()
# Whose record it is, alone changes or deletes it; who serves the place sees it, and may add to it.
OF_KEEPER = (
    "migrant household person_key nationality contact_point travel_document stay whereabouts exposure exposure_change"
).split()
TENANT = [
    *OF_MIGRANT,
    *OF_POST_EITHER_WAY,
    *OF_LIST,
    *OF_NOTIFICATION,
    *OF_STATE,
    "migrant",
    "household",
    "person_list",
]
WITH_MODE = ("campaign", "notification", "person_list")

APP_INSERT = (
    "household migrant person_key nationality contact_point travel_document need stay location consent recross"
    " contact_entry welfare_entry movement_entry audit_entry idempotency_key situation alert_decision declared_area"
    " declared_cell declared_country person_list list_line list_departure message_template message_rule campaign"
    " notification answer_link staff_session population_estimate consular_post post_key jurisdiction staff staff_role"
    " crossing list_run alert_standing"
).split()
APP_UPDATE = (
    "household migrant person_key nationality contact_point travel_document need stay situation staff_session"
    " staff(failed_attempts,locked_until) alert_standing population_estimate location(retracted_at) declared_area(ended_at,ended_by)"
    " person_list(status,released_at,released_by,recipient_class,release_note)"
    " message_rule(approved_by,approved_at,retired_at) campaign(status,approved_at,approved_by)"
    " notification(status) answer_link(revoked_at)"
).split()
APP_DELETE = (
    "household migrant whereabouts exposure exposure_change notification recross staff_session staff_role"
    " idempotency_key population_estimate post_key"
).split()
WORKER_INSERT = [
    *PUBLIC_ALERT_TABLES,
    *(
        "state need_code household migrant person_key nationality contact_point travel_document need stay location"
        " consent recross whereabouts crossing exposure exposure_change exposure_country clock_tick situation"
        " person_list list_line list_departure list_run campaign notification delivery_attempt answer_link contact_entry"
        " welfare_entry movement_entry audit_entry population_estimate alert_standing"
    ).split(),
]
WORKER_UPDATE = [
    *PUBLIC_ALERT_TABLES,
    *(
        "migrant whereabouts exposure exposure_country clock_tick situation campaign notification delivery_attempt"
        " alert_standing crossing(counts) recross(requested_at) location(retracted_at) reply(taken_up_at,outcome) contact_point(bounced_at,verified_at)"
    ).split(),
]
WORKER_DELETE = "whereabouts recross zone_cell zone_country feed".split()
EXERCISE_WRITE = "campaign notification delivery_attempt answer_link".split()

ZONE_OF_STATE = """
create view zone_of_state with (security_invoker = true) as
select z.zone_id, z.message_id, z.event_id, z.kind, z.firm, z.basis, z.geometry, z.severity, z.native_severity,
       z.band_min, z.band_max, z.band_unit, z.label, z.valid_from, z.valid_until,
       case when s.message_id is null then z.ended_at else s.ended_at end as ended_at,
       case when s.message_id is null then z.ended_by else s.ended_by end as ended_by,
       coalesce(s.accepted, m.verdict = 'accepted') as accepted
  from zone z
  join message m on m.message_id = z.message_id
  left join alert_standing s
    on s.registering_state = current_setting('micic.state', true) and s.message_id = z.message_id
"""
"""The zones as they stand for the State of the context: its own decisions on alerts stand over the gate's."""


def policy(table: str, role: str, condition: str) -> None:
    op.execute(f"create policy {table}_{role} on {table} to micic_{role} using ({condition}) with check ({condition})")


def keeper_condition(table: str) -> str:
    """What an officer's connection may change or delete of a table of OF_KEEPER, beyond the tenant."""
    if table in OF_MIGRANT:
        return (
            f"exists (select 1 from migrant m where m.registering_state = {table}.registering_state"
            f" and m.migrant_id = {table}.migrant_id and m.keeper_post_id = any({POSTS}))"
        )
    return f"keeper_post_id = any({POSTS})"


def app_policies(table: str) -> None:
    """One policy for everything, or reading and adding apart from changing and deleting."""
    see = f"{STATE} and ({app_condition(table)})"
    if table not in OF_KEEPER:
        policy(table, "app", see)
        return
    keep = f"{STATE} and ({keeper_condition(table)})"
    add = keep if table in ("migrant", "household") else see
    for command, condition in (
        ("select", f"using ({see})"),
        ("insert", f"with check ({add})"),
        ("update", f"using ({keep}) with check ({keep})"),
        ("delete", f"using ({keep})"),
    ):
        op.execute(f"create policy {table}_app_{command} on {table} for {command} to micic_app {condition}")


def app_condition(table: str) -> str:
    """What an officer's connection may see of a tenant table, beyond the tenant."""
    own = {
        "migrant": f"keeper_post_id = any({POSTS}) or {OPEN_SERVED}",
        "household": f"keeper_post_id = any({POSTS}) or {sees('migrant', table, 'household_id')}",
        "person_list": f"post_id = any({POSTS})",
    }
    by_parent = (
        (OF_MIGRANT, "migrant", "migrant_id"),
        (OF_LIST, "person_list", "list_id"),
        (OF_NOTIFICATION, "notification", "notification_id"),
    )
    if table in own:
        return own[table]
    if table in OF_POST_EITHER_WAY:
        return f"keeper_post_id = any({POSTS}) or serving_post_id = any({POSTS})"
    return next((sees(parent, table, key) for tables, parent, key in by_parent if table in tables), "true")


def sees(parent: str, table: str, key: str) -> str:
    """That the parent row of a row is itself visible, by the parent's own policy."""
    return (
        f"exists (select 1 from {parent} parent where parent.registering_state = {table}.registering_state"
        f" and parent.{key} = {table}.{key})"
    )


def isolate(table: str) -> None:
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    app_policies(table)
    mode = " and mode = '{}'" if table in WITH_MODE else ""
    policy(table, "worker", STATE + mode.format("live"))
    # an exercise reaches the tries and links of its own messages only: those that its policy on notification shows
    of_its_own = f" and ({app_condition(table)})" if table in OF_NOTIFICATION else ""
    policy(table, "exercise", STATE + mode.format("exercise") + of_its_own)


def grant(privilege: str, targets: list[str], role: str) -> None:
    for target in targets:
        table, _, columns = target.partition("(")
        scope = f" ({columns}" if columns else ""
        op.execute(f"grant {privilege}{scope} on {table} to micic_{role}")


def upgrade() -> None:
    op.execute(
        "create function micic_posts() returns uuid[] language sql stable parallel safe as"
        " $$ select coalesce(string_to_array(nullif(current_setting('micic.posts', true), ''), ',')::uuid[], '{}') $$"
    )
    for table in TENANT:
        isolate(table)
    op.execute(
        f"create policy answer_link_public on answer_link for select to micic_public using ({STATE}"
        " and token_hash = decode(nullif(current_setting('micic.link', true), ''), 'hex'))"
    )
    op.execute(
        f"create policy reply_public on reply for insert to micic_public with check ({STATE}"
        " and token_hash = decode(nullif(current_setting('micic.link', true), ''), 'hex')"
        " and taken_up_at is null and outcome is null)"
    )
    for remainder in range(16):
        op.execute(f"alter table exposure_p{remainder} enable row level security")
        op.execute(f"alter table exposure_p{remainder} force row level security")
    op.execute(ZONE_OF_STATE)
    for role in ("app", "worker", "exercise"):
        grant("select", [*REFERENCE, *TENANT, "zone_of_state"], role)
    grant("select", REFERENCE, "readonly")
    grant("select", ["answer_link", "need_code"], "public")
    grant("insert", ["reply"], "public")
    grant("insert", APP_INSERT, "app")
    grant("update", APP_UPDATE, "app")
    grant("delete", APP_DELETE, "app")
    grant("insert", WORKER_INSERT, "worker")
    grant("update", WORKER_UPDATE, "worker")
    grant("delete", WORKER_DELETE, "worker")
    grant("insert", EXERCISE_WRITE, "exercise")
    grant("update", EXERCISE_WRITE, "exercise")
    op.execute("grant select on all tables in schema public to micic_backup")


def downgrade() -> None:
    raise NotImplementedError("isolation is never taken away: restore a backup instead")
