"""The REST interface against its own description: whatever fits it, or nearly fits it, gets an answer that it names."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from doppelgram.web.safety import TOKEN_HEADER
from helpers.page import Served


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"])
def test_every_answer_is_described(plain_page: Served, mode: GenerationMode) -> None:
    plain_page.session.require()
    plain_page.session.looker.warm()
    schema = schemathesis.openapi.from_url(f"{plain_page.address}/api/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 8
    headers = {TOKEN_HEADER: plain_page.access.token}
    for operation in operations:
        with suppress(Unsatisfiable):  # where a question has nothing that can be wrong
            _ask(operation, mode, headers)


def _ask(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    # What a file holds cannot be described, so that bytes that fit may well be no photograph.
    excluded = [positive_data_acceptance] if operation.path == "/api/queries" else []

    @settings(
        max_examples=6,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers(case: Any) -> None:
        case.call_and_validate(headers=headers, excluded_checks=excluded)

    answers()
