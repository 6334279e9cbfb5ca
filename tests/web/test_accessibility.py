"""Every view by axe-core: no serious violation. Axe alone is let past the page's policy, to bring its script."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from helpers.page import Served


def serious(tab: Any) -> list[str]:
    """Violations in light colours, and those of dark colours: of what the colours change, nothing else."""
    found = Axe().run(tab).response["violations"]
    tab.emulate_media(color_scheme="dark")
    found += Axe().run(tab, options={"runOnly": ["color-contrast"]}).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]


def violations(browser: Any, served: Served, view: str, ready: str) -> list[str]:
    context = browser.new_context(bypass_csp=True, color_scheme="light", base_url=served.address)
    try:
        tab = context.new_page()
        tab.goto(view)
        tab.wait_for_selector(ready, timeout=90_000)
        return serious(tab)
    finally:
        context.close()


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
def test_no_serious_violation(browser: Any, page: Served, view: str, ready: str) -> None:
    ids = page.session.require().searcher.ids
    assert violations(browser, page, view.replace("ID", ids[0]).replace("OTHER", ids[1]), ready) == []


@pytest.mark.parametrize(
    ("view", "ready"),
    [("/role-models", ".pin"), ("/role-models?arrangement=1", ".tree .node"), ("/training", ".empty")],
)
def test_role_models(browser: Any, traced_page: Served, view: str, ready: str) -> None:
    assert violations(browser, traced_page, view, ready) == []


def test_unreadable_text_is_seen_in_either_scheme(browser: Any) -> None:
    """Text that only dark colours make unreadable is found."""
    context = browser.new_context(color_scheme="light")
    try:
        tab = context.new_page()
        style = "body {background: white; color: black} @media (prefers-color-scheme: dark) {body {color: #ddd}}"
        tab.set_content(f"<html lang=en><title>t</title><style>{style}</style><main><h1>Seen?</h1></main>")
        assert [one.partition(":")[0] for one in serious(tab)] == ["color-contrast"]
    finally:
        context.close()
