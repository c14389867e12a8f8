"""The jars of Kafka: pinned in requirements/kafka-jars.txt, fetched once, checked at every start."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from pathlib import Path

from jgo.config import GlobalSettings
from jgo.maven import MavenContext
from requests import RequestException
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from shared.runtime.embedded import SetupError

PINS = Path(__file__).parents[3] / "requirements" / "kafka-jars.txt"
AT_ONCE = 6
TIMEOUT = 30  # seconds without one byte


@dataclass(frozen=True)
class Pin:
    """One jar: its coordinate "group:artifact:version" and the SHA-256 (hex) of its bytes."""

    coordinate: str
    sha256: str

    @property
    def filename(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def read_pins(path: Path = PINS) -> list[Pin]:
    """The pinned jars, in the file's order, which is the order of the class path."""
    lines = (line.split("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines())
    return [Pin(coordinate, sha256) for sha256, coordinate in filter(None, lines)]


def class_path(folder: Path, pins: list[Pin]) -> str:
    return os.pathsep.join(str(folder / pin.filename) for pin in pins)


def fetch(folder: Path, pins: list[Pin], console: Console) -> None:
    """Makes `folder` hold every pinned jar with exactly its pinned bytes; fetches only what is missing or damaged.

    A jar arrives under a temporary name, is checked, flushed to disk and renamed, so a broken run leaves either
    a whole jar or none. Raises SetupError without network, without room, or when other bytes came.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(".new-*"):
        shutil.rmtree(leftover)
    missing = [pin for pin in pins if not _is_whole(folder / pin.filename, pin)]
    if not missing:
        return
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as cache, ThreadPoolExecutor(AT_ONCE) as pool:
        maven = _maven(Path(cache))
        jobs = [pool.submit(_fetch_one, maven, pin, folder) for pin in missing]
        try:
            _show(jobs, console)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _show(jobs: list[Future[None]], console: Console) -> None:
    """Waits for all, with a bar on a terminal and a line for every twelfth jar elsewhere; raises the first failure."""
    with Progress(
        *Progress.get_default_columns(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("Apache Kafka", total=len(jobs))
        for done, job in enumerate(as_completed(jobs), start=1):
            job.result()
            bar.advance(task)
            if not console.is_terminal and (done % 12 == 0 or done == len(jobs)):
                console.print(f"Apache Kafka: {done} of {len(jobs)} jars")


def _maven(cache: Path) -> MavenContext:
    """Maven Central as jgo knows it, or what the user's own jgo configuration says instead."""
    maven = MavenContext(repo_cache=cache, timeout=TIMEOUT)
    maven.remote_repos.update(GlobalSettings.load().repositories)
    return maven


def _fetch_one(maven: MavenContext, pin: Pin, folder: Path) -> None:
    with _explained(pin, folder):
        path = DOWNLOADING(_download, maven, pin)
        if not _is_whole(path, pin):
            raise SetupError(
                f"{pin.coordinate} came with other bytes than requirements/kafka-jars.txt pins: "
                "run the same command again, and if it stays so, distrust the network.",
                f"ไฟล์ {pin.coordinate} ไม่ตรงกับที่กำหนดไว้ โปรดสั่งอีกครั้ง หากยังเป็นเช่นเดิมให้ตรวจสอบเครือข่าย",
            )
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(folder / pin.filename)


def _download(maven: MavenContext, pin: Pin) -> Path:
    artifact = maven.create_dependency(pin.coordinate).artifact
    if artifact.cached_path:  # half of an earlier attempt, which jgo would take for whole
        artifact.cached_path.unlink(missing_ok=True)
    return artifact.resolve()


DOWNLOADING = Retrying(
    retry=retry_if_exception_type(RequestException), stop=stop_after_attempt(4), wait=wait_exponential(), reraise=True
)


@contextmanager
def _explained(pin: Pin, folder: Path) -> Iterator[None]:
    """Turns what can go wrong around a download into one sentence."""
    try:
        yield
    except (RequestException, RuntimeError) as error:  # RuntimeError: jgo, when no repository has the jar
        raise SetupError(
            f"Apache Kafka could not be fetched ({pin.filename}, {type(error).__name__}): check the network "
            "and the proxy settings and run the same command again; what has arrived is kept.",
            f"ดาวน์โหลด Apache Kafka ไม่ได้ ({pin.filename}) โปรดตรวจสอบเครือข่ายหรือพร็อกซีแล้วสั่งคำสั่งเดิมอีกครั้ง",
        ) from error
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT):
            raise
        raise SetupError(
            f"The disk of {folder} is full: free 200 MB there and run the same command again.",
            f"ดิสก์ของ {folder} เต็ม โปรดเพิ่มที่ว่าง 200 MB แล้วสั่งคำสั่งเดิมอีกครั้ง",
        ) from error


def _is_whole(path: Path, pin: Pin) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == pin.sha256
