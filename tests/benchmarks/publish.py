"""`python -m tests.benchmarks.publish FILE`: makes a run's JSON the latest, and writes the pages that stand on it."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks import scale, table

FOLDER = Path(__file__).parent
LATEST, README = FOLDER / "latest.json", FOLDER / "README.md"
SCALE = FOLDER.parents[1] / "docs" / "scale.md"
BEGIN, END = "<!-- latest figures: written by publish.py -->", "<!-- end of latest figures -->"


def pages(document: Mapping[str, Any]) -> dict[Path, str]:
    """Every page that shows figures, as it must read."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return {README: f"{before}{BEGIN}\n\n{table.markdown(document)}\n{END}{after}", SCALE: scale.page(document)}


def main(file: Path) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    LATEST.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for path, text in pages(document).items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
