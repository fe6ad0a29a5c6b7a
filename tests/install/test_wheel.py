"""Installing like a product: the wheel holds all that runs, and `onepam demo` of a fresh environment answers."""

import json
import signal
import socket
import subprocess
import time
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

from onepam import __version__
from tests.house.sources import PACKAGE, kept_files
from tests.install.wheel import BUILT, PAGE, bare, build, install
from tests.targets import free_port

START_SECONDS = 200.0
STOP_SECONDS = 60.0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_the_package_and_the_built_console_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        held = {each for each in file.namelist() if ".dist-info/" not in each}
        about = {Path(each).name for each in file.namelist() if ".dist-info/" in each}
    ours = {path for path in kept_files() if path.is_relative_to(PACKAGE)} | {PAGE, *BUILT.rglob("*")}
    assert held == {path.relative_to(PACKAGE.parent).as_posix() for path in ours if path.is_file()}
    assert {"LICENSE", "NOTICE", "sbom.cdx.json"} <= about


def test_the_demo_of_a_fresh_environment_answers(wheel: Path, tmp_path: Path) -> None:
    onepam = install(wheel, tmp_path / "environment")
    said = subprocess.run([onepam, "--version"], capture_output=True, text=True, env=bare(), check=True)
    assert said.stdout == f"{__version__}\n"
    ready, config, log = tmp_path / "ready.json", tmp_path / "onepam.toml", tmp_path / "log"
    config.write_text(f"console_port = {free_port()}\nssh_port = {free_port()}\n", "utf-8")
    command: list[str | Path] = [onepam, "demo", "--data", tmp_path / "data", "--config", config, "--ready-file", ready]
    with log.open("wb") as words:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=bare(), stdin=subprocess.DEVNULL, stdout=words, stderr=words
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.2)
        addresses = json.loads(ready.read_text("utf-8"))
        with urlopen(f"{addresses['console']}/sign-in", timeout=60) as page:
            text = page.read().decode("utf-8")
        assert "OnePAM" in text
        with urlopen(f"{addresses['console']}/static/built/app.js", timeout=60) as script:
            assert script.read() == (BUILT / "app.js").read_bytes()
        ssh = addresses["ssh"]
        with socket.create_connection((ssh["host"], ssh["port"]), timeout=60) as connection:
            assert connection.recv(100).startswith(b"SSH-2.0-")
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
