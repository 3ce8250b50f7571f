#!/usr/bin/env python3
"""Adds up the JUnit-style reports of a test run and prints the closing line.

usage: summary.py REPORT_DIR [EXTRA_FAILURES]
"""
import pathlib
import sys
import xml.etree.ElementTree as ET


def main() -> int:
    passed = failed = skipped = 0
    for path in sorted(pathlib.Path(sys.argv[1]).glob("**/*.xml")):
        try:
            root = ET.parse(path).getroot()
        except ET.ParseError:
            print(f"unreadable report: {path.name}")  # its test died while writing
            failed += 1
            continue
        for case in root.iter("testcase"):
            name = f"{case.get('classname', '')}.{case.get('name', '')}"
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
                print(f"FAILED {path.stem}: {name}")
            elif case.find("skipped") is not None or case.get("status") == "notrun" or case.get("result") == "skipped":
                skipped += 1
            else:
                passed += 1
    failed += int(sys.argv[2]) if len(sys.argv) > 2 else 0
    tail = f", {skipped} skipped" if skipped else ""
    print(f"{passed} passed, {failed} failed{tail}")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
