"""The register's database: engine, sessions, migrations, version.

SQLite by default, PostgreSQL beyond one machine; the same code and tests on both. On SQLite readers never wait (WAL), and a
writer waits up to `BUSY_TIMEOUT_MS` for another: its transaction begins IMMEDIATE, so that it never fails half-way because
another process has written meanwhile (SQLITE_BUSY_SNAPSHOT).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

from inventory.models import RegisterVersion, table
from inventory.sealing import Sealer

MIGRATIONS = Path(__file__).parent / "migrations"
"""The alembic environment; `versions/NNNN_title.py`, of which the last by name is the head (a test holds it)."""

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for another one on SQLite."""

_MIGRATION_LOCK = 0x6564756E
"""Key of the PostgreSQL advisory lock under which migrations run."""


class Register:
    """The register of one installation. Making it opens nothing; `migrate()` once, then `session()`."""

    def __init__(self, url: str, key_file: Path | None = None, timezone: str = "Asia/Shanghai") -> None:
        """url: SQLAlchemy address. key_file: the file with the key that seals credentials (see `inventory/sealing.py`).

        timezone: that of calendars and repeating windows.
        """
        self.url = url
        self.timezone = timezone
        self.key_file = key_file
        self.engine: Engine = _engine(url)
        self.sealer = Sealer(key_file) if key_file else None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session; the caller commits. What is not committed is rolled back at the end."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that holds SQLite's write lock from its beginning, committed at the end, rolled back on an error.

        For read, decide, write: what was read cannot have been changed by another process meanwhile (on PostgreSQL lock rows yourself).
        """
        with Session(self.engine, expire_on_commit=False) as session:
            begin_writing(session.connection())
            yield session
            session.commit()

    def migrate(self) -> bool:
        """Bring the schema up to date. True where something had to be done; an up-to-date one costs one SELECT."""
        if self.schema_version() == head():
            return False
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with self.engine.connect() as connection:
            begin_writing(connection)
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        return True

    def schema_version(self) -> str | None:
        """The migration that the database is at, or None where it is empty. Raises where it cannot be reached or is no database."""
        with self.engine.connect() as connection:
            if not connection.dialect.has_table(connection, "alembic_version"):
                return None
            row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
            return str(row[0]) if row else None

    def version(self) -> int:
        """The register's version, raised with every change that the plan must follow; 0 before the first."""
        with self.engine.connect() as connection:
            return connection.execute(select(table(RegisterVersion).c.version)).scalar() or 0

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def raise_version(session: Session) -> None:
    """Raise the register's version in the session's transaction: every change of what the plan is built from does it."""
    row = table(RegisterVersion)
    dialect = postgresql if session.connection().dialect.name == "postgresql" else sqlite
    first: Any = dialect.insert(row).values(id=1, version=1)
    # One statement: of two first writers at once on PostgreSQL neither may fail.
    session.connection().execute(
        first.on_conflict_do_update(index_elements=["id"], set_={"version": row.c.version + 1})
    )


def begin_writing(connection: Connection) -> None:
    """Take SQLite's write lock now; nothing on PostgreSQL, and nothing where a transaction has begun."""
    if connection.dialect.name == "sqlite":
        raw = connection.connection.dbapi_connection
        if raw is not None and not getattr(raw, "in_transaction", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")


def head() -> str:
    """The newest migration, by the names of the files."""
    return max(path.stem.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20)
    # isolation_level: the driver begins a transaction before the first change, not before a SELECT, and as a writer at once.
    arguments: dict[str, Any] = {"timeout": BUSY_TIMEOUT_MS / 1000, "isolation_level": "IMMEDIATE"}
    engine = create_engine(url, connect_args=arguments)
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    try:
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            cursor.execute("PRAGMA journal_mode=WAL")
    finally:
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA cache_size=-32000")
        cursor.close()


__all__ = ["BUSY_TIMEOUT_MS", "MIGRATIONS", "DatabaseError", "Register", "begin_writing", "head", "raise_version"]
