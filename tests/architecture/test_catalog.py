"""The rules of the person side, read off the database's catalog: a new table that breaks one fails here.

They keep isolation in the database (TRUST section 4) and let the same schema be spread over Citus.
"""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tests.conftest import ROLES

ROOT = Path(__file__).parents[2]
RUNNING_ROLES = [role for role in ROLES if role != "micic_owner"]
REFERENCE = {
    "alembic_version", "spatial_ref_sys", "state", "need_code", "feed", "feed_fetch", "raw_document", "quarantine",
    "event", "event_alias", "message", "message_source", "message_text", "zone", "zone_cell", "zone_country",
}  # fmt: skip


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def owner(engines: dict[str, Engine]) -> Engine:
    return engines["micic_owner"]


def tenant_tables(owner: Engine) -> list[str]:
    found = rows(
        owner, "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r','p')"
    )
    return sorted(str(name) for (name,) in found if name not in REFERENCE)


def test_no_running_role_is_superuser_bypasses_security_or_owns(owner: Engine) -> None:
    roles = {
        str(name): (superuser, bypass, creates)
        for name, superuser, bypass, creates in rows(
            owner, "select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname like 'micic\\_%'"
        )
    }
    assert set(ROLES) <= set(roles)
    for role in ROLES:
        superuser, bypass, creates = roles[role]
        assert not superuser, role
        assert not creates, role
        assert bypass == (role == "micic_backup"), f"{role}: only the backup role may bypass row-level security"
    owners = {
        str(name) for (name,) in rows(owner, "select distinct tableowner from pg_tables where schemaname = 'public'")
    }
    assert owners.isdisjoint(RUNNING_ROLES)
    writes = rows(
        owner,
        "select table_name from information_schema.role_table_grants where grantee in ('micic_backup','micic_readonly')"
        " and privilege_type <> 'SELECT'",
    )
    assert writes == []


def test_every_tenant_table_leads_with_the_tenant(owner: Engine) -> None:
    unique = rows(
        owner,
        "select c.relname, i.relname, a.attname from pg_index x join pg_class c on c.oid = x.indrelid"
        " join pg_class i on i.oid = x.indexrelid"
        " join pg_attribute a on a.attrelid = c.oid and a.attnum = x.indkey[0]"
        " where x.indisunique and c.relnamespace = 'public'::regnamespace",
    )
    wrong = [
        (table, index) for table, index, first in unique if table not in REFERENCE and first != "registering_state"
    ]
    assert wrong == []
    with_primary = {table for table, _, _ in unique}
    assert set(tenant_tables(owner)) <= with_primary


def test_every_tenant_table_is_under_forced_security_with_policies(owner: Engine) -> None:
    unforced = rows(
        owner,
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r','p')"
        " and not (relrowsecurity and relforcerowsecurity)",
    )
    assert {str(name) for (name,) in unforced} == REFERENCE & {str(name) for (name,) in unforced}
    policies = rows(owner, "select tablename, policyname, qual, with_check from pg_policies")
    for table in tenant_tables(owner):
        if not re.fullmatch(r"exposure_p\d+", table):  # reached through their parent only: no policy, no grant
            assert [p for p in policies if p[0] == table], f"{table} has no policy"
    for table, name, qual, check in policies:
        assert "micic.state" in str(qual) + str(check), f"{table}.{name} does not ask for the tenant"


def test_partitions_are_reached_through_their_parent_only(owner: Engine) -> None:
    granted = rows(
        owner,
        "select table_name from information_schema.role_table_grants where table_name ~ '^exposure_p[0-9]+$'"
        " and grantee in ('micic_app','micic_worker','micic_exercise','micic_public','micic_readonly')",
    )
    assert granted == []


def test_tenant_tables_have_no_triggers_and_no_set_null(owner: Engine) -> None:
    triggers = rows(
        owner,
        "select c.relname, t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid"
        " where not t.tgisinternal and c.relnamespace = 'public'::regnamespace",
    )
    assert [row for row in triggers if row[0] not in REFERENCE] == []
    assert rows(owner, "select conname from pg_constraint where contype = 'f' and confdeltype = 'n'") == []


def test_foreign_keys_keep_to_the_tenant_and_reference_tables_know_no_person(owner: Engine) -> None:
    keys = rows(
        owner,
        "select c.relname, t.relname, k.conname, a.attname, f.attname from pg_constraint k"
        " join pg_class c on c.oid = k.conrelid join pg_class t on t.oid = k.confrelid"
        " join pg_attribute a on a.attrelid = c.oid and a.attnum = k.conkey[1]"
        " join pg_attribute f on f.attrelid = t.oid and f.attnum = k.confkey[1]"
        " where k.contype = 'f' and c.relnamespace = 'public'::regnamespace",
    )
    for table, target, name, column, foreign in keys:
        if table in REFERENCE:
            assert target in REFERENCE, f"{name}: reference data points to {target}"
        elif target not in REFERENCE:
            assert (column, foreign) == ("registering_state", "registering_state"), name
    columns = rows(
        owner,
        "select table_name, column_name from information_schema.columns where table_schema = 'public'"
        " and column_name in ('registering_state','migrant_id','household_id')",
    )
    assert [row for row in columns if row[0] in REFERENCE] == []


def test_append_only_tables_cannot_be_changed_by_the_running_roles(owner: Engine) -> None:
    append_only = (
        "audit_entry", "exposure_change", "list_line", "list_departure", "contact_entry", "welfare_entry",
        "movement_entry", "alert_decision", "message_template", "consent",
    )  # fmt: skip
    granted = rows(
        owner,
        "select grantee, table_name, privilege_type from information_schema.role_table_grants"
        " where privilege_type in ('UPDATE','DELETE','TRUNCATE') and grantee like 'micic\\_%'"
        " and grantee <> 'micic_owner'",
    )
    erased_with_the_person = {("micic_app", "exposure_change", "DELETE")}
    wrong = {row for row in granted if row[1] in append_only} - erased_with_the_person
    assert wrong == set()


def test_functions_are_not_security_definer(owner: Engine) -> None:
    definers = rows(
        owner,
        "select proname from pg_proc p join pg_roles r on r.oid = p.proowner"
        " where prosecdef and r.rolname like 'micic\\_%'",
    )
    assert definers == []


def test_claims_fix_the_tenant() -> None:
    """`FOR UPDATE SKIP LOCKED` is refused by a distributed PostgreSQL unless one tenant is named by equality."""
    claims = [path for path in (ROOT / "micic").rglob("*.sql") if "skip locked" in path.read_text().lower()]
    assert claims, "the outbox has a claim"
    for path in claims:
        assert re.search(r"registering_state = :state", path.read_text()), path.name


def test_the_context_is_set_in_one_place_by_set_local() -> None:
    sources = [path for folder in ("micic", "alerts", "geo") for path in (ROOT / folder).rglob("*.py")]
    setters = [path.name for path in sources if re.search(r"SET LOCAL|set_config\(", path.read_text(), re.IGNORECASE)]
    assert setters == ["context.py"]


def test_without_context_nothing_is_visible(engines: dict[str, Engine], owner: Engine) -> None:
    for role in ("micic_app", "micic_worker", "micic_exercise"):
        with Session(engines[role]) as session:
            for table in tenant_tables(owner):
                if not re.fullmatch(r"exposure_p\d+", table):
                    assert session.execute(text(f"select count(*) from {table}")).scalar() == 0, (role, table)
