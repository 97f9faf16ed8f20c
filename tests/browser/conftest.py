"""The site of the browser tests, once for each file of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_site import CHROMIUM, Site, a_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if not Path(CHROMIUM).exists():
        pytest.skip("Debian's chromium is not installed")
    with a_site(tmp_path_factory.mktemp("browser")) as site:
        yield site
