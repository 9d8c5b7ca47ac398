"""The command: writes, asks, compares, prints."""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from exporters import write_takes
from exporters.errors import ExportError

from .cases import FORMATS, ROWS, Case
from .expected import Expected, Finding, compare, expect
from .material import Performer, performers_of
from .readers import READERS, Places, Reader, Report, shows_surface
from .table import Cell, as_markdown, replaced

logger = logging.getLogger("check_exports")
REPOSITORY = Path(__file__).resolve().parents[2]

EXPLAINED = """{count} takes: one of known numbers ({known} frames; the body turns by more than 360 degrees, shoulders
and elbows go past the poles of Euler angles) and {real} captured from videos. Each cell: the farthest joint in mm / the
farthest side of the surface's bounding box in mm, over all frames of all takes; ✓ says that the count of frames and
the rate are right; "n/a", that this program cannot read such a file. The Khronos validator finds faults and measures
nothing. Rows without a rate are at 30 frames per second. "Blender" is its importer of BVH, of glTF and the one of FBX
that is written in Python."""


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="check_exports",
        description="Write takes in every format, read each file with independent programs, and print how far off "
        "they are as a table. Exits 1 where a joint or the surface is more than 1 mm off, or frames or rate are wrong.",
        epilog="Set MOCAP_READERS_NODE, MOCAP_READERS_BPY and MOCAP_READERS_USD as scripts/setup_readers tells.",
    )
    parser.add_argument("--takes", nargs="+", type=Path, default=[], metavar="FILE.npz", help="native takes to write")
    parser.add_argument("--videos", nargs="+", type=Path, default=[], metavar="FILE", help="videos to capture first")
    parser.add_argument("--seconds", type=float, default=4.0, help="how much of a video (default 4)")
    parser.add_argument("--formats", help=f"only these, by commas: {','.join(FORMATS)}")
    parser.add_argument(
        "--readers", type=Path, default=REPOSITORY.parent / "shared" / "readers", metavar="DIR",
        help="folder of the readers' scripts (default ../shared/readers beside the checkout)",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=2, help="files read at once (default 2)")
    parser.add_argument("--write", type=Path, metavar="README.md", help="put the table between this file's two marks")
    args = parser.parse_args(words)
    if args.formats and (unknown := set(args.formats.split(",")) - set(FORMATS)):
        parser.error(f"--formats: found {', '.join(sorted(unknown))}, expected some of {', '.join(FORMATS)}")
    if args.formats and args.write:
        parser.error("--write: found it with --formats, expected the whole table; leave --formats out")
    return args


class Check:
    """All files of all takes, before all readers."""

    def __init__(self, places: Places, folder: Path) -> None:
        self._places, self._folder = places, folder
        self.absent = {reader.title: why for reader in READERS if (why := reader.absent(places)) is not None}
        self.versions: dict[str, None] = {}
        self._expected: dict[tuple[str, str], Expected] = {}

    def files(self, rows: Sequence[str], performers: Sequence[Performer]) -> list[tuple[str, Case, Performer]]:
        return [(row, case, performer) for row in rows for case in ROWS[row] for performer in performers]

    def read(self, number: int, case: Case, performer: Performer) -> dict[str, Finding]:
        """Write one file and return what each reader makes of it."""
        readers = [r for r in READERS if r.title not in self.absent and r.takes(case)]
        folder = self._folder / str(number)
        folder.mkdir()
        path = folder / f"file{case.suffix}"
        try:
            write(performer, path, case)
        except (ExportError, OSError, ValueError) as error:
            return {reader.title: Finding(wrong=(f"not written: {error}",)) for reader in readers}
        return {reader.title: self._ask(reader, case, path, performer) for reader in readers}

    def _ask(self, reader: Reader, case: Case, path: Path, performer: Performer) -> Finding:
        try:
            report = reader.read(self._places, case, path, performer.take.name)
            self.versions[str(report["reader"])] = None
            return _found(report, case, self._expect(performer, case))
        except (RuntimeError, LookupError, TypeError, ValueError, OSError, subprocess.SubprocessError) as error:
            # A reader that fails on one file is a finding, not the end of the others.
            logger.warning("%s, %s: %s: %s", reader.title, case, type(error).__name__, error)
            return Finding(wrong=("not read",))

    def _expect(self, performer: Performer, case: Case) -> Expected:
        key = performer.take.name, case.rate
        if key not in self._expected:
            self._expected[key] = expect(performer, case.rate)
        return self._expected[key]


def write(performer: Performer, path: Path, case: Case) -> None:
    """Write one file, as the application does."""
    meshes = [performer.mesh] if shows_surface(case) else None
    write_takes([performer.take], path, case.options, meshes)


def _found(report: Report, case: Case, expected: Expected) -> Finding:
    if "issues" in report:
        faults = {kind: report["issues"][kind] for kind in ("errors", "warnings") if report["issues"][kind]}
        return Finding(wrong=tuple(f"{count} {kind}" for kind, count in faults.items()))
    return compare(report, case, expected)


def cell_of(row: str, reader: Reader, found: Sequence[tuple[str, dict[str, Finding]]]) -> Cell:
    findings = tuple(told[reader.title] for name, told in found if name == row and reader.title in told)
    return Cell(findings, tuple(case.rate for case in ROWS[row] if not reader.takes(case)))


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    args = parse(words)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    rows = [row for row, cases in ROWS.items() if not args.formats or cases[0].suffix[1:] in args.formats.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        performers = list(performers_of(args.takes, args.videos, Path(folder), args.seconds))
        check = Check(Places.found(args.readers), Path(folder))
        files = check.files(rows, performers)
        with ThreadPoolExecutor(max(args.jobs, 1)) as pool:
            told = pool.map(lambda item: check.read(item[0], *item[1][1:]), enumerate(files))
            found = [(row, findings) for (row, _, _), findings in zip(files, told, strict=True)]
    table = {
        row: [None if r.title in check.absent else cell_of(row, r, found) for r in READERS] for row in rows
    }  # fmt: skip
    return publish(table, check, performers, args.write)


def publish(
    table: dict[str, list[Cell | None]], check: Check, performers: Sequence[Performer], document: Path | None
) -> int:
    """Print the table, write it where it is wanted, and return 1 where a cell is bad."""
    notes = [f"{title}: not asked ({why})." for title, why in check.absent.items()]
    explained = EXPLAINED.format(count=len(performers), known=len(performers[0].take), real=len(performers) - 1)
    read_by = f"Read on {date.today().isoformat()} by {', '.join(sorted(check.versions))}."
    text = "\n\n".join([explained, as_markdown([r.title for r in READERS], table), *notes, read_by])
    print(text)
    if document is not None:
        document.write_text(replaced(document.read_text(encoding="utf-8"), text), encoding="utf-8")
    bad = [(row, reader.title) for row, cells in table.items() for reader, cell in zip(READERS, cells, strict=True)
           if cell is not None and cell.is_bad]  # fmt: skip
    for row, title in bad:
        print(f"check_exports: {row} in {title} is not as it must be", file=sys.stderr)
    return 1 if bad else 0
