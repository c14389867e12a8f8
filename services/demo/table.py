"""Prints the published table as the gateway computes it, Thai first; says what is printed and what is inferred."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from services.demo.answers import Answers, Count, Line
from shared.thai import count, thai_moment

_NOTES = "¹²³⁴⁵"
_CAVEAT = (
    "ตารางนี้ปรับข้อมูลสาธิตให้ตรงกับเอกสาร มิใช่การยืนยันผลของโครงการ · "
    "reproducing the table calibrates the demonstration, it does not validate the programme"
)
_YES, _NO = "[green]ตรง · same[/]", "[bold red]ไม่ตรง · differs[/]"
_PRINTED, _INFERRED = "เอกสาร · printed", "อนุมาน · inferred"


def show(answers: Answers, console: Console) -> None:
    console.print(_coverage(answers, console))
    for note, line in zip(_NOTES, answers.lines, strict=True):
        console.print(f"  {note} {line.published.inferred_th} · {line.published.inferred}", highlight=False)
    console.print()
    console.print(_counts(answers, console))
    for text in ("", *_standing(answers.standing), _verdict(same=answers.same), _CAVEAT):
        console.print(text, highlight=False)


def _verdict(*, same: bool) -> str:
    if same:
        return "[green]ตัวเลขทุกตัวตรงกับที่ประกาศ · every figure is the published one[/]"
    return "[bold red]มีตัวเลขที่ไม่ตรงกับที่ประกาศ · a figure is not the published one[/]"


def _table(console: Console, title: str, *columns: str) -> Table:
    framed = console.is_terminal
    table = Table(title=title, title_justify="left", box=box.ROUNDED if framed else None, show_lines=framed)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _coverage(answers: Answers, console: Console) -> Table:
    table = _table(
        console,
        "ครัวเรือนที่ได้รับการช่วยเหลือ ตามที่ประกาศเมื่อ 2 พฤศจิกายน 2563\nhouseholds helped, as published on 2 November 2020",
        "ด้าน\ndimension",
        "ได้รับ / จำเป็น\nreached / in need",
        "คำนวณได้\ncomputed",
        "เอกสาร\nprinted",
        "",
    )
    for note, line in zip(_NOTES, answers.lines, strict=True):
        table.add_row(*_cells(note, line))
    return table


def _cells(note: str, line: Line) -> tuple[str, ...]:
    return (
        f"{line.published.th}\n{line.published.en}",
        f"{count(line.computed['numerator'])} / {count(line.computed['denominator'])} {note}",
        _percent(line.percent),
        line.published.printed,
        _YES if line.same else _NO,
    )


def _percent(made: Mapping[str, str]) -> str:
    if made["half_up"] == made["truncated"]:
        return f"{made['half_up']} %"
    return f"ปัดเศษ · half-up {made['half_up']} %\nตัดเศษ · truncated {made['truncated']} %"


def _counts(answers: Answers, console: Console) -> Table:
    table = _table(console, "จำนวนอื่น · other numbers", "", "คำนวณ\ncomputed", "ประกาศ\npublished", "", "")
    for each in answers.counts:
        table.add_row(*_count_cells(each))
    return table


def _count_cells(each: Count) -> tuple[str, ...]:
    return (
        f"{each.th} · {each.en}",
        count(each.computed),
        ("≥ " if each.at_least else "") + count(each.published),
        _PRINTED if each.printed else _INFERRED,
        _YES if each.same else _NO,
    )


def _standing(standing: Mapping[str, Any]) -> list[str]:
    position = ", ".join(f"{service} {count(number)}" for service, number in sorted(standing["position"].items()))
    lines = [f"ตำแหน่งในบันทึก · log position: {position}"]
    for name, th, en in (
        ("newest_fact", "ข้อมูลล่าสุด", "newest fact"),
        ("watermark", "ครบถ้วนถึง", "complete until (watermark)"),
    ):
        lines.append(f"{th} · {en}: {_moment(standing[name])}")
    if standing["provisional"]:
        lines.append("[yellow]ตัวเลขชั่วคราว อาจมีข้อมูลตามมา · provisional: facts recorded by now may still arrive[/]")
    return lines


def _moment(text: str | None) -> str:
    if text is None:
        return "ยังไม่มี · none yet"
    moment = datetime.fromisoformat(text)
    return f"{thai_moment(moment)} · {text}"
