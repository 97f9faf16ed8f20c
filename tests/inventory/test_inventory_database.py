"""Engine, migrations, version."""

import multiprocessing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlmodel import Session, SQLModel, select

from inventory import database
from inventory.database import MIGRATIONS, Register, raise_version
from inventory.models import Zone


def test_the_migrated_schema_equals_the_models(register: Register) -> None:
    with register.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_the_newest_file_is_alembics_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == database.head()


def test_migrating_twice_does_nothing_the_second_time(empty_url: str) -> None:
    register = Register(empty_url)
    assert register.migrate() is True
    assert register.migrate() is False
    assert Register(empty_url).migrate() is False
    register.close()


def test_a_migration_can_be_taken_back(register: Register) -> None:
    from alembic import command

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with register.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
    register.engine.dispose()
    assert register.migrate() is True


def test_the_version_rises_with_the_transaction_and_not_without(register: Register) -> None:
    assert register.version() == 0
    with register.session() as session:
        raise_version(session)
        session.commit()
        assert register.version() == 1
        raise_version(session)
        session.rollback()
    assert register.version() == 1
    with register.write() as session:
        raise_version(session)
    assert register.version() == 2


def _fail_after(session: Session) -> None:
    session.add(Zone(name="lost"))
    session.flush()
    raise RuntimeError


def test_an_error_inside_write_writes_nothing(register: Register) -> None:
    with pytest.raises(RuntimeError), register.write() as session:
        _fail_after(session)
    with register.session() as session:
        assert session.exec(select(Zone)).all() == []


def test_sqlite_has_its_pragmas(sqlite: Register) -> None:
    with sqlite.engine.connect() as connection:
        values = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 30_000}


def _raise_often(url: str, times: int) -> None:
    register = Register(url)
    for _ in range(times):
        with register.session() as session:
            session.exec(select(Zone)).all()  # reads first, as a request does
            raise_version(session)
            session.commit()
    register.close()


def test_writers_in_two_processes_wait_for_each_other(register: Register) -> None:
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_raise_often, args=(register.url, 40)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    assert [other.exitcode for other in others] == [0, 0]
    assert register.version() == 80


def _migrate(url: str) -> None:
    Register(url).migrate()


def test_two_processes_may_migrate_at_once(empty_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_migrate, args=(empty_url,)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    assert [other.exitcode for other in others] == [0, 0]
    assert Register(empty_url).schema_version() == database.head()
