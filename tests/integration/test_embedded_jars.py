"""Fetching pinned jars, from a Maven repository of the test's own on a loopback port."""

import hashlib
import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from tenacity import wait_none

from shared.runtime.embedded import SetupError, jars
from shared.runtime.embedded.jars import Pin


class Repository:
    """Serves `files` (path -> bytes) and remembers what was asked for; breaks off in the middle while `broken`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.broken = 0

    def add(self, name: str, content: bytes) -> Pin:
        self.files[f"/org/example/{name}/1.0/{name}-1.0.jar"] = content
        return Pin(f"org.example:{name}:1.0", hashlib.sha256(content).hexdigest())

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        content = self.files.get(request.path)
        if content is None:
            request.send_error(404)
            return
        self.asked.append(Path(request.path).name)
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        half = self.broken > 0
        self.broken -= half
        request.wfile.write(content[: len(content) // 2] if half else content)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    served = Repository()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = tmp_path / "jgo.conf"
        settings.write_text(f"[repositories]\ncentral = http://127.0.0.1:{server.server_port}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
        monkeypatch.setattr(jars, "DOWNLOADING", jars.DOWNLOADING.copy(wait=wait_none()))
        yield served
        server.shutdown()


def fetch(folder: Path, *pins: Pin) -> str:
    said = io.StringIO()
    jars.fetch(folder, list(pins), Console(file=said))
    return said.getvalue()


def test_fetches_only_what_is_missing_or_damaged(repository: Repository, tmp_path: Path) -> None:
    pins = [repository.add(name, name.encode() * 1000) for name in ("one", "two", "three")]
    folder = tmp_path / "jars"
    assert "3 of 3 jars" in fetch(folder, *pins)
    assert sorted(path.name for path in folder.iterdir()) == ["one-1.0.jar", "three-1.0.jar", "two-1.0.jar"]
    assert jars.class_path(folder, pins).split(":") == [str(folder / f"{n}-1.0.jar") for n in ("one", "two", "three")]
    repository.asked.clear()
    assert fetch(folder, *pins) == ""
    (folder / "two-1.0.jar").write_bytes(b"cut off")
    (folder / "three-1.0.jar").unlink()
    (folder / ".new-of-a-killed-run").mkdir()
    fetch(folder, *pins)
    assert sorted(repository.asked) == ["three-1.0.jar", "two-1.0.jar"]
    assert (folder / "two-1.0.jar").read_bytes() == b"two" * 1000
    assert not list(folder.glob(".new-*"))


def test_a_download_that_breaks_off_is_repeated(repository: Repository, tmp_path: Path) -> None:
    pin = repository.add("one", bytes(100_000))
    repository.broken = 2
    fetch(tmp_path / "jars", pin)
    assert (tmp_path / "jars" / pin.filename).read_bytes() == bytes(100_000)
    assert len(repository.asked) == 3


def test_other_bytes_than_pinned_are_refused(repository: Repository, tmp_path: Path) -> None:
    good, bad = repository.add("good", b"good"), repository.add("bad", b"bad")
    repository.add("bad", b"worse")
    with pytest.raises(SetupError, match="other bytes"):
        fetch(tmp_path / "jars", good, bad)
    assert not (tmp_path / "jars" / bad.filename).exists()


def test_without_network_it_says_so_and_keeps_what_arrived(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = repository.add("one", b"one")
    fetch(tmp_path / "jars", pin)
    (tmp_path / "jgo.conf").write_text("[repositories]\ncentral = http://127.0.0.1:9\n")
    with pytest.raises(SetupError, match="check the network") as said:
        fetch(tmp_path / "jars", pin, Pin("org.example:two:1.0", "0" * 64))
    assert "127.0.0.1" not in str(said.value)
    assert (tmp_path / "jars" / pin.filename).exists()


def test_a_full_disk_is_one_sentence(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jars, "_download", full)
    with pytest.raises(SetupError, match="is full"):
        fetch(tmp_path / "jars", repository.add("one", b"one"))


def test_the_pins_are_those_of_a_whole_broker() -> None:
    pins = jars.read_pins()
    names = {pin.coordinate.split(":")[1] for pin in pins}
    assert {"kafka_2.13", "kafka-clients", "kafka-tools", "log4j-slf4j-impl"} <= names
    assert "log4j-slf4j2-impl" not in names  # slf4j is 1.7 there
    assert len({pin.filename for pin in pins}) == len(pins)
    assert all(len(pin.sha256) == 64 for pin in pins)
