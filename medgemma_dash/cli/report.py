"""`report`: one HTML file of a record, without a model."""

import argparse
from pathlib import Path

from medgemma_dash.cli.arguments import Commands, add_command


def add(commands: Commands) -> None:
    """Its arguments."""
    command = add_command(commands, "report", "write a record as one HTML file that works offline")
    command.add_argument("record", metavar="RECORD", type=Path, help="folder, or .zip")
    command.add_argument("--out", type=Path, required=True, metavar="FILE")


def run(options: argparse.Namespace) -> int:
    """Read, lay out and write."""
    from medgemma_dash.cli.output import say, writing_to
    from medgemma_dash.core.record_reading import read_record
    from medgemma_dash.reports.html import html_page
    from medgemma_dash.reports.records import record_report
    from medgemma_dash.services.exporting.files import write_together

    page = html_page(record_report(read_record(options.record)))
    with writing_to(options.out):
        write_together(options.out.parent, {options.out.name: page.encode()})
    say(f"Written   {options.out}")
    return 0
