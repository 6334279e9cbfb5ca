"""Every view by axe-core: no serious violation. Axe alone is let past the page's policy, to bring its script."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from helpers.page import Served


def serious(tab: Any) -> list[str]:
    found = Axe().run(tab).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("view", "ready"),
    [
        ("/", ".photos img"),
        ("/search?image=ID", ".rank"),
        ("/pair?a=ID&b=OTHER", ".verdict"),
        ("/pair", ".empty"),
        ("/map", "main h1"),
        ("/teach", ".question"),
    ],
)
def test_no_serious_violation(browser: Any, page: Served, view: str, ready: str, scheme: str) -> None:
    ids = page.session.require().searcher.ids
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, base_url=page.address)
    try:
        tab = context.new_page()
        tab.goto(view.replace("ID", ids[0]).replace("OTHER", ids[1]))
        tab.wait_for_selector(ready, timeout=90_000)
        assert serious(tab) == []
    finally:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("view", "ready"),
    [("/role-models", ".pin"), ("/role-models?arrangement=1", ".tree .node"), ("/training", ".empty")],
)
def test_role_models(browser: Any, traced_page: Served, view: str, ready: str, scheme: str) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, base_url=traced_page.address)
    try:
        tab = context.new_page()
        tab.goto(view)
        tab.wait_for_selector(ready)
        assert serious(tab) == []
    finally:
        context.close()
