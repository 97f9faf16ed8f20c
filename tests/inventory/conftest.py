"""A register on SQLite and on PostgreSQL: a test that takes `register` runs on both."""

import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import fresh_database, has_postgres, postgres

from inventory.database import Register

_numbers = count()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    if not has_postgres():
        pytest.skip("Debian's postgresql is not installed")
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'edunet.db'}"
    return fresh_database(request.getfixturevalue("postgres_url"), f"t{next(_numbers)}")


@pytest.fixture
def register(empty_url: str, tmp_path: Path) -> Iterator[Register]:
    """A migrated register."""
    register = Register(empty_url, tmp_path / "secret.key")
    register.migrate()
    yield register
    register.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Register]:
    """A migrated register on SQLite alone, for what does not depend on the database."""
    register = Register(f"sqlite:///{tmp_path / 'edunet.db'}", tmp_path / "secret.key")
    register.migrate()
    yield register
    register.close()
