"""Who may see which rows: proved from the catalogue, and by trying."""

from datetime import date
from uuid import UUID, uuid4

import asyncpg
import pytest

from salerno.app import ROOMS, House
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.patients.queries import PatientById
from salerno.kernel.messages import Caller

SCHEMAS = ["kernel", *(room.name for room in ROOMS)]
TENANT_TABLES = """
    SELECT n.nspname AS schema, c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
           EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polqual IS NOT NULL) AS filters,
           c.relispartition AS partition
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY($1) AND EXISTS (
        SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('organisation', 'hospital_id')
          AND NOT a.attisdropped)"""
WITHOUT_TENANT = {"projection_errors"}  # names and ids of what failed, for operators; no content


async def test_t039_every_tenant_table_forces_row_level_security(house: House) -> None:
    async with house.database.owner() as owner:
        tables = await owner.fetch(TENANT_TABLES, SCHEMAS)
    assert len(tables) > 20
    for table in tables:
        if table["name"] in WITHOUT_TENANT:
            continue
        assert table["enabled"], f"{table['schema']}.{table['name']}"
        assert table["forced"], f"{table['schema']}.{table['name']}"
        assert table["filters"] or table["partition"], f"{table['schema']}.{table['name']}"


async def test_t039_a_room_reaches_no_other_rooms_schema(house: House) -> None:
    async with house.database.owner() as owner:
        for room in ROOMS:
            for other in ROOMS:
                may = await owner.fetchval(
                    "SELECT has_schema_privilege($1, $2, 'USAGE')", f"salerno_{room.name}", other.name
                )
                assert may is (room is other), f"{room.name} -> {other.name}"


async def test_t039_application_roles_own_nothing_and_bypass_nothing(house: House) -> None:
    async with house.database.owner() as owner:
        roles = await owner.fetch(
            """SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb
               FROM pg_roles WHERE rolname LIKE 'salerno%'"""
        )
        owned = await owner.fetchval(
            """SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
               WHERE r.rolname LIKE 'salerno%' AND r.rolname <> 'salerno_owner'"""
        )
    assert owned == 0
    for role in roles:
        if role["rolname"] != "salerno_owner":
            assert not (role["rolsuper"] or role["rolbypassrls"] or role["rolcreaterole"] or role["rolcreatedb"]), role


async def test_t039_views_run_as_their_reader_and_functions_pin_their_path(house: House) -> None:
    async with house.database.owner() as owner:
        loose_views = await owner.fetch(
            """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind = 'v' AND n.nspname = ANY($1)
                 AND NOT coalesce('security_invoker=true' = ANY(c.reloptions), false)""",
            SCHEMAS,
        )
        loose_functions = await owner.fetch(
            """SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
               WHERE n.nspname = ANY($1) AND p.prosecdef AND p.proconfig IS NULL""",
            SCHEMAS,
        )
    assert list(loose_views) == []
    assert list(loose_functions) == []


async def test_t039_without_an_organisation_nothing_is_seen_and_nothing_written(house: House, doctor: Caller) -> None:
    await house.bus.handle(
        RegisterPatient(full_name="Ada Rossi", date_of_birth=date(1980, 5, 4), gender="female"), doctor
    )
    connection = await asyncpg.connect(house.database.url)
    try:
        await connection.execute("SET ROLE salerno_patients")
        for table in ("kernel.event_store", "kernel.streams", "kernel.subject_keys", "patients.patients"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0, table
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "INSERT INTO kernel.streams VALUES ($1, $2, 'x', $1, 1, now(), now())", uuid4(), uuid4()
            )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT * FROM scheduling.appointments")
    finally:
        await connection.close()


async def test_t039_one_organisation_sees_none_of_anothers_rows(
    house: House, doctor: Caller, organisation: UUID
) -> None:
    await house.bus.handle(
        RegisterPatient(full_name="Ada Rossi", date_of_birth=date(1980, 5, 4), gender="female"), doctor
    )
    async with house.database.context("salerno_patients", organisation, "patients") as ours:
        assert await ours.fetchval("SELECT count(*) FROM patients") == 1
    async with house.database.context("salerno_patients", uuid4(), "patients") as theirs:
        assert await theirs.fetchval("SELECT count(*) FROM patients") == 0
        assert await theirs.fetchval("SELECT count(*) FROM kernel.event_store") == 0


async def test_t039_the_function_that_finds_looks_answers_for_ones_own_organisation_alone(
    house: House, doctor: Caller, organisation: UUID
) -> None:
    wish = RegisterPatient(full_name="Ada Rossi", date_of_birth=date(1980, 5, 4), gender="female")
    ada = (await house.bus.handle(wish, doctor)).aggregate_id
    await house.bus.ask(PatientById(patient_id=ada), doctor)
    found = "SELECT count(*) FROM kernel.looks_at($1)"
    for home, looks in ((organisation, 1), (uuid4(), 0), (None, 0)):
        async with house.database.context("salerno_audit", home, "audit") as connection:
            assert await connection.fetchval(found, [ada]) == looks
    async with house.database.owner() as owner:
        assert (
            await owner.fetchval(
                "SELECT has_function_privilege('salerno_access', 'kernel.looks_at(uuid[])', 'EXECUTE')"
            )
            is False
        )


async def test_a_cancelled_request_carries_no_context_into_the_next(house: House, organisation: UUID) -> None:
    async with house.database.context("salerno_patients", organisation, "patients") as lent:
        session = lent
        session.stands_in = None
    async with house.database.context("salerno_staff", uuid4(), "staff") as lent:
        assert await lent.fetchval("SELECT current_user::text") == "salerno_staff"
        assert await lent.fetchval("SELECT kernel.current_organisation()") != organisation
