"""The committed lock files name versions, never an address or a folder of the machine that made them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PINS = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\n]+)", LOCK, re.MULTILINE))


def normalised(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_the_python_lock_names_no_address_and_no_folder() -> None:
    assert "://" not in LOCK
    for line in LOCK.splitlines():
        assert not line.startswith("-"), f"an option for the installer: {line}"
        assert not re.search(r"(^|[\s'\"=])(/|~|[A-Za-z]:\\)", line), f"a folder of some machine: {line}"


def test_every_line_of_the_python_lock_is_a_pin_or_a_comment() -> None:
    for line in LOCK.splitlines():
        assert re.match(r"^([a-z0-9-]+==\S+( ; .+)?|\s+# .*|\s+#)$", line), line


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["test"]
    assert {normalised(line) for line in wanted} <= PINS.keys()


def test_the_browser_lock_names_no_address_to_fetch_from() -> None:
    text = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in text


def test_the_browser_lock_pins_what_package_json_wants_with_a_digest() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert packages[f"node_modules/{name}"]["version"] == version
    assert all("integrity" in entry for path, entry in packages.items() if path)


@pytest.mark.parametrize("name", ["uv.lock", "pip.conf", "yarn.lock", "pnpm-lock.yaml"])
def test_no_other_lock_file_is_kept(name: str) -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert name in ignored or not (ROOT / name).exists()


def test_npmrc_says_only_how_to_write_the_lock() -> None:
    assert (ROOT / ".npmrc").read_text().split() == ["omit-lockfile-registry-resolved=true"]
