# SPDX-License-Identifier: Apache-2.0
"""refused.py JUDGE SCHEMA FOLDER: the schema refuses what flowrun refuses, at the same places.

Every fault that check-jsonschema finds must lie where NAME.expect has one too
(one place may be around the other: the schema knows only that none of several
forms fits).  What no schema can see is listed here, so that nothing else slips
through.
"""

import json
import pathlib
import re
import subprocess
import sys

# Needs other stages, columns, values of variables, or the command line.
UNSEEN = set(
    """bind-refuses circle columns-differ columns-missing columns-needed columns-unknown-yet
    columns-wrong-type from-wrong-kind from-wrong-object held-out network-denied params-configure params-deprecated sets-given
    vars-endless vars-given vars-unknown vars-unused vars-wrong-type-in-use""".split()
)


def tokens_of_path(path):
    """check-jsonschema writes $.a.b[0]['c d']."""
    out = []
    for name, quoted, index in re.findall(r"\.([^.\[]+)|\['([^']*)'\]|\[(\d+)\]", path[1:]):
        out.append(name or quoted or index)
    return out


def tokens_of_pointer(pointer):
    return [t.replace("~1", "/").replace("~0", "~") for t in pointer.split("/")[1:]]


def near(a, b):
    n = min(len(a), len(b))
    return a[:n] == b[:n]


def main():
    judge, schema, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    # What is not JSON, or JSON with comments, never reaches a schema.
    files = sorted(f for f in folder.glob("*.json") if not f.name.startswith("text-") and f.stem != "everything")
    run = subprocess.run(
        [judge, "--schemafile", schema, "-o", "json", *map(str, files)], capture_output=True, text=True
    )
    report = json.loads(run.stdout)
    faults = {}
    for fault in report["errors"]:
        path = (fault.get("best_deep_match") or fault)["path"]
        faults.setdefault(pathlib.Path(fault["filename"]).stem, []).append((tokens_of_path(path), fault["message"]))
    bad = len(report["parse_errors"])
    for file in files:
        expect = file.with_suffix(".expect").read_text(encoding="utf-8")
        places = [tokens_of_pointer(p) for p in re.findall(r": error: .*?(?: \((/\S*(?: \S*)*)\))?$", expect, re.M)]
        found = faults.get(file.stem, [])
        if bool(found) == (file.stem in UNSEEN):
            print(f"{file.name}: {'refused' if found else 'accepted'}, but should not be")
            bad += 1
        for place, message in found:
            if not any(near(place, p) for p in places):
                print(f"{file.name}: refused for another reason at {place}: {message}")
                bad += 1
    print(f"{len(faults)} files refused, {len(UNSEEN)} beyond any schema, {bad} wrong")
    return 1 if bad else 0


sys.exit(main())
