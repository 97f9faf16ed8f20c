"""The described API and the real one are the same: schemathesis asks every operation with what its schema allows, and what it does not."""

from collections.abc import Iterator

import pytest
import schemathesis
from conftest import Web, web_on
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

# A 500 is in no operation's responses, so that the first check finds it; a 503 is, where the collector is asked.
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """An application that this module may change at will."""
    directory = tmp_path_factory.mktemp("schema")
    with web_on(f"sqlite:///{directory / 'edunet.db'}", directory) as web:
        yield web


HOW = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("examples", [10, pytest.param(100, marks=pytest.mark.soak)])
def test_each_operation_answers_as_its_schema_says(asked: Web, examples: int) -> None:
    schema = schemathesis.openapi.from_url(f"{asked.url}/openapi.json")
    headers = {"authorization": f"Bearer {asked.province.tokens['root']}"}
    wrong, count = [], 0
    for result in schema.exclude(path="/api/v1/events").get_all_operations():
        operation = result.ok()
        count += 1

        @given(case=operation.as_strategy())
        @settings(HOW, max_examples=examples)
        def ask(case: schemathesis.Case) -> None:
            case.validate_response(case.call(headers=headers), checks=CHECKS)

        try:
            ask()
        except (BaseExceptionGroup, AssertionError) as error:
            wrong.append(f"{operation.label}: {error!r} {getattr(error, 'exceptions', '')}")
    assert not wrong, "\n".join(wrong)
    assert count > 70
