# SPDX-License-Identifier: Apache-2.0
"""prepare.sh's rival: the rules of prepare.json in datatrove, two local workers.

usage: prepare_datatrove.py FOLDER OUT WORKERS      FOLDER holds WORKERS equal parts of the corpus (*.jsonl)

Cleans (HTML, entities, control characters, Unicode NFC, white space, repeated
punctuation, at least 10 characters), drops exact duplicates with datatrove's
own exact-deduplication stages, builds {"input", "output"}, splits by a hash,
writes JSON Lines.  Prints the seconds of work without the imports.
"""
import hashlib
import html
import re
import shutil
import sys
import time
import unicodedata

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import ExactDedupConfig, ExactDedupFilter, ExactDedupSignature, ExactFindDedups
from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.formatters.base import BaseFormatter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

TAG = re.compile(r"<(?:/?[a-zA-Z][^<>]*|!--.*?--)>", re.S)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
BLANKS = re.compile("[ \t\u00a0\u3000]+")
LINES = re.compile(" ?\n ?(?:\n ?)*")
REPEAT = re.compile("([!！?？。，,~～])\\1+")


class Clean(BaseFormatter):
    name = "clean"

    def format(self, text):
        text = html.unescape(TAG.sub("", text))
        text = unicodedata.normalize("NFC", CONTROL.sub("", text))
        return REPEAT.sub("\\1", LINES.sub("\n", BLANKS.sub(" ", text))).strip()


def record(writer, doc):
    side = hashlib.md5(str(doc.id).encode()).digest()[0] < 26
    return {"input": f"{doc.metadata['lang']} | {doc.metadata['source']}", "output": doc.text, "side": "validation" if side else "train"}


def main():
    folder, out, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
    shutil.rmtree(out, ignore_errors=True)
    start = time.time()
    config = ExactDedupConfig(content_getter=lambda doc: doc.text.encode())
    one = LocalPipelineExecutor(
        pipeline=[JsonlReader(folder), Clean(), LambdaFilter(lambda doc: len(doc.text) >= 10),
                  JsonlWriter(f"{out}/clean", compression=None)],
        tasks=workers, workers=workers, logging_dir=f"{out}/log1")
    two = LocalPipelineExecutor(
        pipeline=[JsonlReader(f"{out}/clean"), ExactDedupSignature(f"{out}/sigs", config=config, finder_workers=workers)],
        tasks=workers, workers=workers, logging_dir=f"{out}/log2", depends=one)
    three = LocalPipelineExecutor(
        pipeline=[ExactFindDedups(f"{out}/sigs", f"{out}/dups", config=config)],
        tasks=workers, workers=workers, logging_dir=f"{out}/log3", depends=two)
    four = LocalPipelineExecutor(
        pipeline=[JsonlReader(f"{out}/clean"), ExactDedupFilter(f"{out}/dups", config=config),
                  JsonlWriter(f"{out}/records", compression=None, adapter=record)],
        tasks=workers, workers=workers, logging_dir=f"{out}/log4", depends=three)
    four.run()
    print(f"datatrove {time.time() - start:.2f} s")


if __name__ == "__main__":
    main()
