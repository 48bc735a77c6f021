"""The pages in a real browser: sign in, situation, map, lists, release; axe without findings; no breach of the policy.

Screenshots go to tests/browser/shots, which git ignores: look at them.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.web.world import PASSWORD, STATE, CrisisWorld

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
SHOTS = Path(__file__).parent / "shots"
DESK, PHONE, SMALLEST = {"width": 1440, "height": 900}, {"width": 360, "height": 740}, {"width": 320, "height": 640}
IDLE_MS = 60_000  # the map is drawn by the processor here


@pytest.fixture(scope="module")
def address(app: FastAPI) -> Iterator[str]:
    """The application, served for real on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.started
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


class Visit:
    """One window, with everything it complained of."""

    def __init__(
        self, browser: Browser, address: str, size: dict[str, int], *, dark: bool = False, language: str = "en"
    ):
        self.address = address
        self._context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            color_scheme="dark" if dark else "light",
            locale=language,
            reduced_motion="reduce",
        )
        self.page: Page = self._context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(f"{message.type}: {message.text}")

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)
        if self.page.locator("#map").count():
            self.page.locator('#map[data-state="idle"]').wait_for(timeout=IDLE_MS)

    def sign_in(self, login: str = "cell") -> None:
        self.page.goto(self.address + "/login")
        self.page.select_option("#state", STATE)
        self.page.fill("#login", login)
        self.page.fill("#password", PASSWORD)
        self.page.click("button.act")

    def shoot(self, name: str, *, whole: bool = True) -> None:
        SHOTS.mkdir(exist_ok=True)
        (SHOTS / ".gitignore").write_text("*\n")
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=whole)

    def check(self) -> None:
        """No complaint, nothing wider than the window, and nothing that axe finds."""
        assert self.complaints == []
        assert not self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert self.findings() == []

    def findings(self) -> list[str]:
        """What axe finds. It is handed over by the debugger, past the policy that it could not pass as a script."""
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
        return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]

    def close(self) -> None:
        self._context.close()


@pytest.fixture
def visits(browser: Browser, address: str) -> Iterator[list[Visit]]:
    opened: list[Visit] = []
    yield opened
    for visit in opened:
        visit.close()


@pytest.mark.parametrize(
    ("name", "size", "dark"),
    [("desk-light", DESK, False), ("desk-dark", DESK, True), ("tablet", {"width": 768, "height": 1024}, False),
     ("phone-light", PHONE, False), ("phone-dark", SMALLEST, True)],
)  # fmt: skip
def test_the_situation_page_draws_and_says_the_same_in_words(
    name: str, size: dict[str, int], dark: bool, browser: Browser, address: str, visits: list[Visit], world: CrisisWorld
) -> None:
    visit = Visit(browser, address, size, dark=dark)
    visits.append(visit)
    visit.sign_in()
    visit.open(f"/events/{world.event_id}")
    visit.shoot(f"situation-{name}", whole=size is not DESK)
    page = visit.page
    for heading in ("Decide now", "Who is inside", "Who has not answered", "Where the data is old"):
        assert page.get_by_role("heading", name=heading).is_visible()
    page.locator(".twins summary").click()
    assert page.get_by_role("table", name="Zones in force, worst first").is_visible()
    visit.check()


def test_the_canvas_is_not_empty(browser: Browser, address: str, visits: list[Visit], world: CrisisWorld) -> None:
    visit = Visit(browser, address, DESK)
    visits.append(visit)
    visit.sign_in()
    with visit.page.expect_response(lambda reply: reply.url.endswith(".mvt") and reply.status == 200) as tile:
        visit.open(f"/events/{world.event_id}")
    assert tile.value.body()
    picture = visit.page.locator("#map canvas").screenshot()
    assert len(picture) > 20_000  # a canvas of one colour packs into a few hundred bytes


def test_the_panel_keeps_itself_fresh(browser: Browser, address: str, visits: list[Visit], world: CrisisWorld) -> None:
    visit = Visit(browser, address, DESK)
    visits.append(visit)
    visit.sign_in()
    visit.open(f"/events/{world.event_id}")
    visit.page.locator(".twin summary").click()
    with visit.page.expect_response(lambda reply: "/panel?unattended=1" in reply.url) as fetched:
        visit.page.evaluate("document.getElementById('panel').dispatchEvent(new Event('refresh'))")
    assert fetched.value.status == 200
    visit.page.wait_for_timeout(300)
    assert visit.page.get_by_role("heading", name="Decide now").count() == 1
    assert visit.page.get_by_role(
        "table", name="Registered people by presence"
    ).is_visible()  # what was open stays open
    visit.check()


def test_from_sign_in_to_a_released_list(
    browser: Browser, address: str, visits: list[Visit], world: CrisisWorld
) -> None:
    cell = Visit(browser, address, DESK)
    visits.append(cell)
    cell.sign_in("cell")
    cell.open(f"/events/{world.event_id}")
    cell.page.select_option("#freeze-kind", "evacuation")
    cell.page.select_option("#freeze-post", label="Ankara")
    cell.page.get_by_role("button", name="Freeze a new version").click()
    assert cell.page.get_by_role("heading", name="Evacuation list 1, Ankara").is_visible()
    cell.shoot("list")
    cell.check()
    where = cell.page.url.removeprefix(address)

    approver = Visit(browser, address, DESK)
    visits.append(approver)
    approver.sign_in("approver")
    approver.open(f"/events/{world.event_id}")
    assert approver.page.get_by_role("link", name="Release this list …").count() >= 1
    approver.open(where)
    approver.page.get_by_role("link", name="Release this list …").click()
    approver.page.select_option("#recipient_class", "red_cross")
    approver.page.fill("#note", "Red Crescent Ankara, Ms Demir, by hand")
    approver.page.get_by_role("button", name="Go on to the confirmation").click()
    approver.shoot("release")
    approver.check()
    approver.page.fill("#typed", approver.page.locator("code").inner_text())
    approver.page.get_by_role("button", name="Release").click()
    assert approver.page.locator(".state.released").is_visible()
    with approver.page.expect_download() as download:
        approver.page.get_by_role("link", name="Take the CSV file").click()
    assert download.value.suggested_filename.startswith("evacuation_ankara")


@pytest.mark.parametrize("path", ["/login", "/people?answer=silent", "/areas/new", "?wall=1"])
@pytest.mark.parametrize("dark", [False, True])
def test_every_other_page_is_clean(
    path: str, dark: bool, browser: Browser, address: str, visits: list[Visit], world: CrisisWorld
) -> None:
    for size in (DESK, PHONE):
        visit = Visit(browser, address, size, dark=dark)
        visits.append(visit)
        if path != "/login":
            visit.sign_in()
        visit.open(path if path == "/login" else f"/events/{world.event_id}{path}")
        name = path.strip("/?").split("?")[0].replace("/", "-").replace("=", "")
        visit.shoot(f"{name}-{size['width']}-{'dark' if dark else 'light'}")
        visit.check()


@pytest.mark.parametrize(
    ("language", "size", "dark"), [("ar", PHONE, False), ("fr", SMALLEST, True), ("en", PHONE, True)]
)
def test_a_migrant_answers_without_script(
    language: str,
    size: dict[str, int],
    dark: bool,
    browser: Browser,
    address: str,
    visits: list[Visit],
    world: CrisisWorld,
) -> None:
    visit = Visit(browser, address, size, dark=dark, language=language)
    visits.append(visit)
    visit.open(f"/c/{world.link_token()}?lang={language}")
    assert visit.page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    for button in visit.page.locator("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 48
    visit.shoot(f"checkin-ask-{language}")
    visit.check()
    visit.page.locator("button.safe").click()
    assert visit.page.locator(".reference").is_visible()
    visit.shoot(f"checkin-saved-{language}")
    visit.check()


def test_a_dead_link_in_arabic(browser: Browser, address: str, visits: list[Visit]) -> None:
    visit = Visit(browser, address, PHONE, language="ar")
    visits.append(visit)
    visit.open("/c/no-such-link")
    visit.shoot("checkin-dead-ar")
    assert visit.page.locator("html").get_attribute("dir") == "rtl"
    assert visit.findings() == []


def test_it_works_without_script_as_tables(browser: Browser, address: str, world: CrisisWorld) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address + "/login")
    page.select_option("#state", STATE)
    page.fill("#login", "cell")
    page.fill("#password", PASSWORD)
    page.click("button.act")
    page.goto(f"{address}/events/{world.event_id}")
    assert page.get_by_text("The map needs JavaScript").is_visible()
    page.locator(".twins summary").click()
    assert page.get_by_role("table", name="Where the people are").is_visible()
    context.close()
