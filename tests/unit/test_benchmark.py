"""The benchmark is honest: who comes to another end has no figures, ratios are what they say, pages fit the run."""

import json
from collections import Counter

import pytest

from tests.benchmarks import profile, publish, scale, table, workload
from tests.benchmarks.costs import Reading, figures
from tests.benchmarks.peers.job import cell
from tests.benchmarks.report import CPU_RATE, RATE, Row, Variant, Wanted
from tests.benchmarks.rows.latency import RATES, WHOLE
from tests.support.log import told


def row(*states: object, rates: tuple[float, ...] = (10.0, 20.0)) -> Row:
    made = Row("a row", wanted=[Wanted(RATE, "ours", "theirs", at_least=1.5, aim=3)])
    for name, state, rate in zip(("ours", "theirs"), states, rates, strict=True):
        variant = made.variant(name, "")
        variant.states.append(state)
        variant.note({RATE: rate})
    made.compare_states()
    return made


def test_who_comes_to_another_end_has_no_figures() -> None:
    document = row({"a": 1}, {"a": 2}).document()
    assert "came to another end than ours: 1 of 1 rows, first 'a': 1 and 2" in document["variants"]["theirs"]["failed"]
    assert document["variants"]["theirs"]["figures"] == {}
    [judged] = document["judged"]
    assert (judged["value"], judged["kept"]) == (None, None)


def test_one_round_that_ended_otherwise_is_enough() -> None:
    made = row("same", "same")
    made.variants["theirs"].states.append("other")
    made.compare_states()
    assert made.variants["theirs"].failed


@pytest.mark.parametrize(
    ("rates", "value", "kept"), [((30.0, 20.0), 1.5, True), ((10.0, 20.0), 0.5, False), ((80.0, 20.0), 4.0, True)]
)
def test_a_ratio_is_of_medians(rates: tuple[float, float], value: float, kept: bool) -> None:
    [judged] = row("same", "same", rates=rates).judged()
    assert (judged["value"], judged["kept"]) == (value, kept)


def test_a_median_and_its_spread() -> None:
    variant = Variant("")
    for rate in (5.0, 1.0, 3.0):
        variant.note({RATE: rate})
    made = Row("", {"ours": variant})
    assert made.document()["variants"]["ours"]["figures"][RATE] == {
        "median": 3.0,
        "least": 1.0,
        "most": 5.0,
        "rounds": [5.0, 1.0, 3.0],
    }


@pytest.mark.parametrize(("at_most", "value", "kept"), [(0, 0.0, True), (0, 1.0, False)])
def test_a_limit_from_above(at_most: float, value: float, kept: bool) -> None:
    made = Row("", wanted=[Wanted("lost", "ours", at_most=at_most)])
    made.variant("ours", "").note({"lost": value})
    assert [judged["kept"] for judged in made.judged()] == [kept]


def test_cpu_counts_postgresql_too() -> None:
    found = figures(1_000, Reading(at=2.0, cpu=0.3, postgres=0.2))
    assert (found[RATE], found[CPU_RATE]) == (500.0, 2_000.0)
    assert found["µs PostgreSQL an event"] == pytest.approx(200)


def test_the_log_is_the_same_again_but_for_ids_of_events() -> None:
    one, other = (list(workload.records(200)) for _ in range(2))
    assert [(r.key, r.value) for r in one] == [(r.key, r.value) for r in other]


def test_the_log_is_in_the_order_of_recording_and_its_streams_are_whole() -> None:
    records = list(workload.records(500))
    times = [told(r)["ce_time"] for r in records]
    assert times == sorted(times)
    seen: Counter[str] = Counter()
    for headers in map(told, records):
        seen[headers["ce_subject"]] += 1
        assert headers["ce_version"] == str(seen[headers["ce_subject"]])


def test_the_job_counts_by_the_first_dimension() -> None:
    headers = [("ce_type", b"NeedsAssessed.v1")]
    needs = [{"dimension": "health", "in_need": False}, {"dimension": "living", "in_need": True}]
    assert cell(3, headers, json.dumps({"needs": needs}).encode()) == (3, "NeedsAssessed.v1", "living")
    assert cell(3, headers, b"{}") == (3, "NeedsAssessed.v1", "")


def test_a_sample_belongs_to_the_innermost_part_that_is_named() -> None:
    stacks = [
        "run (/x/faust/app.py);settle (/a/services/projections/engine.py);read (/a/services/projections/decode.py) 3",
        "run (/x/faust/app.py);add_facts (/a/services/projections/tables.py);copy (/x/asyncpg/connection.py) 1",
    ]
    assert profile.parts("\n".join(stacks)) == {"decode and check": 0.75, "write facts": 0.25}


def test_pages_are_those_of_the_latest_run() -> None:
    """`python -m tests.benchmarks.publish FILE` writes the run and them together."""
    for latest in publish.FOLDER.glob(publish.LATEST.name):
        for path, text in publish.pages(json.loads(latest.read_text(encoding="utf-8"))).items():
            assert path.read_text(encoding="utf-8") == text, path.name


def test_a_country_is_computed_from_medians() -> None:
    def one(**figures: float) -> dict[str, object]:
        return {"figures": {name: {"median": value} for name, value in figures.items()}}

    folding = {"µs CPU an event": 100.0, "µs PostgreSQL an event": 50.0}
    folding |= {"KiB in tables an event": 1.0, "KiB on Kafka an event": 0.5}
    rows = {
        "projection": {"variants": {"Siao, every table": one(**folding)}},
        "append": {"variants": {"Siao through HTTP, one worker": one(**folding)}},
        "rebuild": {"variants": {"Siao, rebuild: compared and switched": one(**{"events/CPU-s": 10_000.0})}},
        "relay": {"variants": {"Siao's relay": one(**{"events/CPU-s of the relay": 50_000.0})}},
    }
    rows["latency"] = {"variants": {f"{rate}/s": one(**{WHOLE: 20.0}) for rate in RATES}}
    machine = {"at": "2026-01-01T00:00", "processor": "", "cores": 2, "load before": 0, "load after": 0}
    page = scale.page({"rows": rows, "machine": machine})
    assert "1,042 a second" in page  # 10,000,000 / 8 hours, three times
    assert "| projections' workers | 100 µs CPU an event | 0.10 cores | 2 |" in page
    assert "| 50 a second | 20.0 ms | 20.8 cores |" in page
    assert "18.2 thousand million events: 507 core-hours" in page  # 5 * 365 * 10,000,000 / 10,000 / 3600


def test_every_figure_that_a_country_needs_is_looked_for() -> None:
    with pytest.raises(KeyError, match="projection"):
        scale.page({"rows": {}, "machine": {}})


def test_what_was_not_measured_is_said_so() -> None:
    assert "not measured" in table.markdown(
        {
            "machine": {"at": "2026-01-01T00:00", "processor": "", "cores": 2, "load before": 0, "load after": 0},
            "rounds": 1,
            "events": 1,
            "rows": {"a": row("same", "other").document()},
        }
    )
