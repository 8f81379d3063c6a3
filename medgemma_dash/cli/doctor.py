"""`doctor`: one line for each fact about the machine, and the remedy under it."""

import argparse

from medgemma_dash.services.doctor import examine

MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


def run(options: argparse.Namespace) -> int:
    """Print the findings; the status is 1 when one of them stops the program from working."""
    del options
    findings = examine()
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        print(f"{MARKS[finding.status]}  {finding.name:{width}}  {finding.text}")
        if finding.remedy:
            print(f"      {'':{width}}  -> {finding.remedy}")
    return int(any(finding.status == "fail" for finding in findings))
