# SPDX-License-Identifier: Apache-2.0
"""csv-jsonl.sh's helper: makes the input, runs the rivals.

usage: csv-jsonl.py make FILE MEBIBYTES     writes a CSV of that size: Chinese and English, quoted newlines
       csv-jsonl.py polars IN OUT           CSV to JSON Lines with polars
       csv-jsonl.py duckdb IN OUT           the same with DuckDB
       csv-jsonl.py same A B                exit 0 when two JSON Lines files hold the same rows

Rivals print the seconds of work without their imports.
"""
import json
import random
import sys
import time

GOODS = "羊毛衫 棉麻衬衫 陶瓷茶壶 不锈钢保温杯 竹纤维毛巾 桌面收纳盒 儿童画板 户外折叠椅".split()
SAID = ["质地柔软，贴身穿也不扎", "做工细致，线头很少", "颜色和图片一致", "送礼自用都合适，性价比高", "包装完好，物流很快",
        "soft to the touch and warm without weight", "the seams are neat, and the colour holds",
        "fits a small desk", "a present that people keep", "it came in one day, well packed"]


def make(path, mebibytes):
    rng = random.Random(1)
    size = mebibytes << 20
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write("id,sku,name,price,stock,copy_zh,copy_en,comment\n")
        n = done = 0
        while done < size:
            rows = []
            for _ in range(2000):
                n += 1
                zh = "，".join(rng.choices(SAID[:5], k=rng.randint(1, 4))) + "。"
                en = ", ".join(rng.choices(SAID[5:], k=rng.randint(1, 4))) + "."
                said = "\n".join(rng.choices(SAID, k=rng.randint(0, 3)))
                comment = '"' + said + '"' if n % 7 else '"They said ""good"":\n' + said + '"'
                rows.append(f'{n},A{n % 997:04d}-{n % 13},{rng.choice(GOODS)},{rng.randint(100, 99999) / 100},'
                            f'{rng.randint(0, 500)},"{zh}","{en}",{comment}\n')
            text = "".join(rows)
            done += len(text.encode())
            out.write(text)


def polars_(source, target):
    import polars
    start = time.perf_counter()
    polars.scan_csv(source).sink_ndjson(target)
    return time.perf_counter() - start


def duckdb_(source, target):
    import duckdb
    start = time.perf_counter()
    connection = duckdb.connect(config={"threads": 2})
    connection.execute(f"COPY (SELECT * FROM read_csv('{source}')) TO '{target}' (FORMAT json)")
    return time.perf_counter() - start


def same(a, b):
    with open(a, encoding="utf-8") as left, open(b, encoding="utf-8") as right:
        n = 0
        for n, (x, y) in enumerate(zip(left, right, strict=True), 1):
            if json.loads(x) != json.loads(y):
                sys.exit(f"line {n} differs:\n{x}{y}")
    print(f"{n} equal rows")


def main(what, *args):
    if what == "make":
        make(args[0], int(args[1]))
    elif what == "same":
        same(*args)
    else:
        print(f"{ {'polars': polars_, 'duckdb': duckdb_}[what](*args):.3f}")


main(*sys.argv[1:])
