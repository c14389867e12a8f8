"""The rows as tables for a terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

COLOURS = {"kept": "green", "aim reached": "green", "short": "red", "not measured": "yellow", "below the aim": "yellow"}
LEAST_SHARE = 0.005


def show(console: Console, key: str, row: dict[str, Any]) -> None:
    """One row of the benchmark: figures, promises, notes, profile."""
    table = Table(title=f"{key}: {row['title']}", title_justify="left", show_lines=False)
    figures = list(dict.fromkeys(name for variant in row["variants"].values() for name in variant["figures"]))
    table.add_column("")
    for name in figures:
        table.add_column(name, justify="right")
    table.add_column("guarantee")
    for name, variant in row["variants"].items():
        cells = [_figure(variant["figures"].get(figure)) for figure in figures]
        table.add_row(name, *cells, f"[red]{variant['failed']}" if "failed" in variant else variant["guarantee"])
    console.print(table)
    for judged in row["judged"]:
        console.print(f"  {_promise(judged)}: {_number(judged['value'])}  [{COLOURS[_word(judged)]}]{_word(judged)}")
    if row["profile"]:
        console.print(f"  where the CPU goes, PostgreSQL's apart: {_profile(row['profile'])}")
    for note in row["notes"]:
        console.print(f"  {note}")
    console.print()


def _promise(judged: dict[str, Any]) -> str:
    limits = [f"at least {_number(judged['at_least'])}"] if judged["at_least"] is not None else []
    limits += [f"at most {_number(judged['at_most'])}"] if judged["at_most"] is not None else []
    limits += [f"aim {_number(judged['aim'])}"] if judged["aim"] is not None else []
    over = f" / {judged['to']}" if judged["to"] else ""
    return f"{judged['figure']}, {judged['of']}{over} ({', '.join(limits)})"


def _word(judged: dict[str, Any]) -> str:
    if judged["value"] is None:
        return "not measured"
    if not judged["kept"]:
        return "short"
    if judged["aim"] is None:
        return "kept"
    most = judged["at_most"] is not None
    reached = judged["value"] <= judged["aim"] if most else judged["value"] >= judged["aim"]
    promised = most or judged["at_least"] is not None
    return "aim reached" if reached else "kept" if promised else "below the aim"


def _figure(found: dict[str, float] | None) -> str:
    if found is None:
        return ""
    spread = f" [{_number(found['least'])}-{_number(found['most'])}]" if found["least"] != found["most"] else ""
    return _number(found["median"]) + spread


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def markdown(document: dict[str, Any] | Any) -> str:
    """All rows as they stand in the README."""
    machine = document["machine"]
    parts = [
        f"{machine['at'][:16].replace('T', ' ')} UTC, {machine['processor']}, {machine['cores']} cores, load "
        f"{machine['load before']} before and {machine['load after']} after; {document['rounds']} rounds, "
        f"{document['events']:,} events. Median [least-most]."
    ]
    for key, row in document["rows"].items():
        figures = list(dict.fromkeys(name for variant in row["variants"].values() for name in variant["figures"]))
        lines = [f"**{key}**: {row['title']}", "", f"| | {' | '.join(figures)} |", "|---" * (len(figures) + 1) + "|"]
        for name, variant in row["variants"].items():
            cells = [_figure(variant["figures"].get(figure)) for figure in figures]
            lines.append(f"| {name} | {' | '.join(cells)} |")
            if "failed" in variant:
                lines[-1] = f"| {name}: {variant['failed']} |{' |' * len(figures)}"
        lines += ["", *(f"- {_promise(one)}: {_number(one['value'])}, {_word(one)}" for one in row["judged"])]
        lines += [f"- {note}" for note in row["notes"]]
        if row["profile"]:
            lines.append(f"- where the CPU goes, PostgreSQL's apart: {_profile(row['profile'])}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _profile(shares: dict[str, float]) -> str:
    return ", ".join(f"{part} {share:.0%}" for part, share in shares.items() if share >= LEAST_SHARE)
