"""The feed server over real HTTP: conditional requests, stages, control, faults; as a process of its own."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest

from micic.demo.crisis import EXERCISE_PATH, SUMMARY_PATH, Crisis
from micic.demo.feed_server import Fault, FeedServer, document_key

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CRISIS = Crisis(START, 7)


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer(CRISIS.stages, stall_s=2.0) as running:
        running.publish(CRISIS.stage("shakemap-1"))
        yield running


@pytest.fixture
def client(server: FeedServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base_url, timeout=0.5, trust_env=False) as asking:
        yield asking


def test_before_the_first_stage_everything_is_unknown() -> None:
    with FeedServer() as silent, httpx.Client(base_url=silent.base_url, trust_env=False) as client:
        assert client.get(SUMMARY_PATH).status_code == 404


def test_following_the_addresses_leads_from_summary_to_contours(client: httpx.Client) -> None:
    """And never to another host."""
    features = client.get(SUMMARY_PATH).json()["features"]
    address = next(f["properties"]["detail"] for f in features if f["id"] == CRISIS.marmara[0].ids[0])
    products = client.get(address).json()["properties"]["products"]
    files = products["shakemap"][0]["contents"]
    contours = client.get(files["download/cont_mmi.json"]["url"])
    assert contours.headers["content-type"].startswith("application/json")
    assert len(contours.content) == files["download/cont_mmi.json"]["length"]
    assert contours.json()["features"][0]["geometry"]["type"] == "MultiLineString"


def test_pages_to_look_at_stay_the_agencys(client: httpx.Client) -> None:
    urls = [f["properties"]["url"] for f in client.get(SUMMARY_PATH).json()["features"]]
    assert {urlsplit(url).hostname for url in urls} == {"earthquake.usgs.gov"}
    assert sum("/scenarios/" in url for url in urls) == 1


def test_a_cap_document_has_its_media_type(client: httpx.Client) -> None:
    assert client.get(EXERCISE_PATH).headers["content-type"].startswith("application/cap+xml")


def test_an_unchanged_document_is_not_sent_again(client: httpx.Client) -> None:
    first = client.get(SUMMARY_PATH)
    for header, value in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
        again = client.get(SUMMARY_PATH, headers={header: first.headers[value]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    assert client.get(SUMMARY_PATH, headers={"If-None-Match": '"other"'}).status_code == 200
    assert client.get(SUMMARY_PATH, headers={"If-Modified-Since": "never"}).status_code == 200


def test_head_tells_the_length_and_sends_nothing(client: httpx.Client) -> None:
    told = client.head(SUMMARY_PATH)
    assert told.content == b""
    assert int(told.headers["Content-Length"]) == len(client.get(SUMMARY_PATH).content)


def test_a_new_stage_changes_what_changed_and_nothing_else(server: FeedServer, client: httpx.Client) -> None:
    before = {path: client.get(path).headers for path in (SUMMARY_PATH, EXERCISE_PATH)}
    published = server.publish(CRISIS.stage("shakemap-2"))
    assert published.tzinfo is not None
    for path, status in ((SUMMARY_PATH, 200), (EXERCISE_PATH, 304)):
        assert client.get(path, headers={"If-None-Match": before[path]["ETag"]}).status_code == status
    assert client.get(EXERCISE_PATH).headers["Last-Modified"] == before[EXERCISE_PATH]["Last-Modified"]


def test_the_event_service_says_conflict_for_a_deleted_event(server: FeedServer, client: httpx.Client) -> None:
    server.publish(CRISIS.stage("shakemap-3"))
    asked = {"format": "geojson", "eventid": CRISIS.izmir.ids[0]}
    assert client.get("/fdsnws/event/1/query", params=asked).status_code == 409
    told = client.get("/fdsnws/event/1/query", params={"includedeleted": "true", **asked})
    assert told.json()["properties"]["status"] == "deleted"


def test_a_key_has_its_parameters_in_order() -> None:
    assert document_key("/a%20b?z=1&y=2") == "/a b?y=2&z=1"
    assert document_key("/a?") == "/a"


def test_the_control_moves_the_story_on(client: httpx.Client) -> None:
    told = client.post("/_stage/cancel")
    assert told.json()["stage"] == "cancel"
    assert datetime.fromisoformat(told.json()["published_at"]).tzinfo is not None
    statuses = [f["properties"]["status"] for f in client.get(SUMMARY_PATH).json()["features"]]
    assert statuses.count("deleted") == 1
    assert client.post("/_stage/never").status_code == 404
    assert client.post("/elsewhere").status_code == 404


def test_a_planned_error_and_an_empty_answer_are_used_up(server: FeedServer, client: httpx.Client) -> None:
    server.inject(Fault.ERROR)
    server.inject(Fault.EMPTY, path_prefix="/cap/")
    assert client.get(SUMMARY_PATH).status_code == 500
    assert client.get(SUMMARY_PATH).status_code == 200
    empty = client.get(EXERCISE_PATH)
    assert (empty.status_code, empty.content) == (200, b"")
    assert client.get(EXERCISE_PATH).content
    assert [status for _, status in server.requests] == [500, 200, 200, 200]


def test_a_truncated_answer_is_seen_as_one(server: FeedServer, client: httpx.Client) -> None:
    server.inject(Fault.TRUNCATED)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(SUMMARY_PATH)
    assert client.get(SUMMARY_PATH).status_code == 200


def test_a_time_out_holds_nobody_else_up_nor_the_end(server: FeedServer, client: httpx.Client) -> None:
    server.inject(Fault.TIMEOUT)
    with pytest.raises(httpx.ReadTimeout):
        client.get(SUMMARY_PATH)
    assert client.get(SUMMARY_PATH).status_code == 200


def test_it_listens_on_the_loopback_only(server: FeedServer) -> None:
    assert urlsplit(server.base_url).hostname == "127.0.0.1"
    assert server.port > 0


def test_it_runs_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "micic.demo.feed_server", "--start", START.isoformat(), "--seed", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        where = urlsplit(process.stdout.readline().strip())
        connection = http.client.HTTPConnection("127.0.0.1", where.port or 0, timeout=5)
        connection.request("GET", SUMMARY_PATH)
        features = json.loads(connection.getresponse().read())["features"]
        connection.close()
        process.terminate()
        assert process.wait(5) == 0
    assert CRISIS.marmara[0].ids[0] in {feature["id"] for feature in features}
