"""The demonstration's register, built once for this folder's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.network import Network
from demo.province import Province, build
from demo.register import fill, open_register, read_network
from inventory.database import Register
from inventory.regions import divisions


@pytest.fixture(scope="session")
def province() -> Province:
    return build(divisions())


@pytest.fixture(scope="session")
def demo_register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    directory: Path = tmp_path_factory.mktemp("demo")
    register = open_register(f"sqlite:///{directory / 'edunet.db'}")
    register.migrate()
    fill(register, 16199)
    yield register
    register.close()


@pytest.fixture(scope="session")
def network(demo_register: Register) -> Network:
    return read_network(demo_register)
