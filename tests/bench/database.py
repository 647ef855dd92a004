# SPDX-License-Identifier: Apache-2.0
"""database.py WAY DSN OUT: how others read a table of PostgreSQL into JSON Lines; prints its seconds.

The ways: psycopg (a server-side cursor, json.dumps), pandas (read_sql in chunks, to_json), connectorx (into
polars by its binary COPY, write_ndjson).  `same A B` compares two files row by row, times and floats as values.
"""

import json
import sys
import time


def psycopg_way(dsn, out):
    import datetime
    import decimal

    import psycopg

    def plain(value):
        if isinstance(value, decimal.Decimal):
            return float(value)
        if isinstance(value, datetime.datetime):
            return value.isoformat()
        raise TypeError(type(value))

    with psycopg.connect(dsn) as connection, connection.cursor("rows") as cursor, open(out, "w", encoding="utf-8") as file:
        cursor.itersize = 10000
        cursor.execute("select * from goods order by id")
        names = None
        for row in cursor:
            names = names or [d.name for d in cursor.description]
            file.write(json.dumps(dict(zip(names, row)), ensure_ascii=False, default=plain) + "\n")


def pandas_way(dsn, out):
    import pandas
    import psycopg

    with psycopg.connect(dsn) as connection, open(out, "w", encoding="utf-8") as file:
        for chunk in pandas.read_sql("select * from goods order by id", connection, chunksize=50000):
            chunk["price"] = chunk["price"].astype(float)
            chunk.to_json(file, orient="records", lines=True, force_ascii=False, date_format="iso", date_unit="us")


def connectorx_way(dsn, out):
    import connectorx

    frame = connectorx.read_sql(dsn, "select id, name, price::float8 as price, added, sale, description, w from goods order by id", return_type="polars")
    frame.write_ndjson(out)


def same(a, b):
    import datetime

    def value(v):
        if isinstance(v, str) and len(v) > 18 and v[4] == "-" and v[10] in "T ":
            text = v.replace(" ", "T").replace("Z", "+00:00")
            moment = datetime.datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
        return v

    with open(a, encoding="utf-8") as one, open(b, encoding="utf-8") as other:
        n = 0
        for x, y in zip(one, other, strict=True):
            n += 1
            x, y = json.loads(x), json.loads(y)
            if x.keys() != y.keys() or any(value(x[k]) != value(y[k]) for k in x):
                sys.exit(f"row {n} differs: {x} {y}")
    print(f"{n} rows are the same in {a} and {b}")


way, first, second = sys.argv[1:]
if way == "same":
    same(first, second)
else:
    __import__({"psycopg": "psycopg", "pandas": "pandas", "connectorx": "connectorx"}[way])
    if way == "connectorx":
        __import__("polars")
    start = time.monotonic()
    {"psycopg": psycopg_way, "pandas": pandas_way, "connectorx": connectorx_way}[way](first, second)
    print(f"{time.monotonic() - start:.2f}")
