#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-arrow.py: batches to pyarrow and nanoarrow and back, through the C data interface.

Loads libflowrun with ctypes.  Prints TAP; skips what is not there.  The
oracle packages lie in the virtual environment $FLOWRUN_VENV, if anywhere.
"""
import ctypes
import gc
import os
import sys

venv = os.environ.get("FLOWRUN_VENV")
if venv and not sys.prefix.startswith(os.path.realpath(venv)) and "FR_ARROW_AGAIN" not in os.environ:
    python = os.path.join(venv, "bin", "python")
    if os.path.exists(python):
        os.environ["FR_ARROW_AGAIN"] = "1"
        os.execv(python, [python] + sys.argv)

N = 7


def skip_all(why):
    print("1..0 # SKIP " + why)
    sys.exit(0)


library = os.path.join(os.environ.get("top_builddir", "."), "core", ".libs", "libflowrun.so")
with open(library, "rb") as f:
    if b"__asan_init" in f.read():
        skip_all("a library with AddressSanitizer cannot be loaded by an ordinary Python")
try:
    import pyarrow as pa
except ImportError:
    skip_all("pyarrow is not installed")
try:
    import nanoarrow as na
except ImportError:
    na = None

fr = ctypes.CDLL(library)
glib = ctypes.CDLL("libglib-2.0.so.0")
P = ctypes.c_void_p


class GError(ctypes.Structure):
    _fields_ = [("domain", ctypes.c_uint32), ("code", ctypes.c_int), ("message", ctypes.c_char_p)]


class GString(ctypes.Structure):
    _fields_ = [("str", P), ("len", ctypes.c_size_t), ("allocated_len", ctypes.c_size_t)]


class RowId(ctypes.Structure):
    _fields_ = [("position", ctypes.c_uint64), ("source", ctypes.c_uint32), ("child", ctypes.c_uint32)]


def function(name, result, *arguments):
    f = getattr(fr, name)
    f.restype, f.argtypes = result, arguments
    return f


E = ctypes.POINTER(ctypes.POINTER(GError))
schema_parse = function("fr_schema_parse", P, ctypes.c_char_p, E)
schema_describe = function("fr_schema_describe", P, P)
schema_unref = function("fr_schema_unref", None, P)
builder_new = function("fr_builder_new", P, P)
builder_finish = function("fr_builder_finish", P, P, E)
builder_free = function("fr_builder_free", None, P)
builder_end_row = function("fr_builder_end_row", None, P, RowId)
reader_init = function("fr_json_reader_init", None, P, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint)
reader_next = function("fr_json_reader_next", ctypes.c_int, P)
reader_clear = function("fr_json_reader_clear", None, P)
read_row = function("fr_json_read_row", ctypes.c_int, P, ctypes.c_int, P, P, E)
batch_schema = function("fr_batch_schema", P, P)
batch_n_rows = function("fr_batch_n_rows", ctypes.c_size_t, P)
batch_unref = function("fr_batch_unref", None, P)
batch_validate = function("fr_batch_validate", ctypes.c_int, P, E)
batch_export = function("fr_batch_export", None, P, P, P)
batch_import = function("fr_batch_import", P, P, P, P, E)
append_json = function("fr_batch_append_json", None, P, ctypes.c_size_t, ctypes.c_int, ctypes.POINTER(GString))
string_new = glib.g_string_new
string_new.restype, string_new.argtypes = ctypes.POINTER(GString), [ctypes.c_char_p]


def failed(error):
    raise ValueError(error.contents.message.decode())


def make(columns, rows):
    """A flowrun batch from its columns in text and rows in JSON."""
    error = ctypes.POINTER(GError)()
    schema = schema_parse(columns.encode(), ctypes.byref(error)) or failed(error)
    builder = builder_new(schema)
    for i, row in enumerate(rows):
        text, reader = row.encode(), ctypes.create_string_buffer(512)
        reader_init(reader, text, len(text), 0)
        if not read_row(reader, reader_next(reader), builder, None, ctypes.byref(error)):
            failed(error)
        builder_end_row(builder, RowId(i + 1, 1, 0))
        reader_clear(reader)
    batch = builder_finish(builder, ctypes.byref(error)) or failed(error)
    builder_free(builder)
    schema_unref(schema)
    return batch


def text(batch):
    """All rows as JSON Lines, the batch validated."""
    error = ctypes.POINTER(GError)()
    if not batch_validate(batch, ctypes.byref(error)):
        failed(error)
    lines = []
    for row in range(batch_n_rows(batch)):
        out = string_new(b"")
        append_json(batch, row, 0, out)
        lines.append(ctypes.string_at(out.contents.str, out.contents.len).decode())
    return lines


def described(batch):
    return ctypes.string_at(schema_describe(batch_schema(batch))).decode()


def structs():
    return ctypes.create_string_buffer(80), ctypes.create_string_buffer(72)


def to_arrow(batch):
    array, schema = structs()
    batch_export(batch, array, schema)
    return pa.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))


def from_arrow(record_batch):
    array, schema = structs()
    record_batch._export_to_c(ctypes.addressof(array), ctypes.addressof(schema))
    error = ctypes.POINTER(GError)()
    batch = batch_import(array, schema, None, ctypes.byref(error))
    # Moved from, and released: by both being zero the caller sees it.
    assert int.from_bytes(array.raw[64:72], "little") == 0, "the array was not moved"
    assert int.from_bytes(schema.raw[56:64], "little") == 0, "the schema was not released"
    return batch or failed(error)


COLUMNS = ("name: utf8, long: large_utf8, raw: binary, ok: bool, i: int32, n: int64, f: float32, price: float64, "
           "at: timestamp, tags: list<utf8>, turns: list<struct<role: utf8, n: int64>>, "
           "size: struct<w: float64, marks: list<int32>>, grid: list<list<bool>>")
ROWS = [
    '{"name":"雪纺衫","long":"长","raw":"AAEC","ok":true,"i":-1,"n":9000000000,"f":0.5,"price":19.9,'
    '"at":"2024-02-29T12:00:00.5Z","tags":["新品",null,""],"turns":[{"role":"user","n":1},null],'
    '"size":{"w":1.5,"marks":[1,null]},"grid":[[true],[],null]}',
    "{}",
    '{"name":"","long":"","raw":"","ok":false,"tags":[],"turns":[],"size":{"w":null,"marks":null},"grid":[]}',
    '{"name":"👕","ok":null,"i":2147483647,"turns":[{"role":null,"n":null}],"tags":["a","b","c"]}',
] * 5

number = 0


def check(what, test):
    global number
    number += 1
    try:
        skipped = test()
    except Exception as e:  # any failure is a failed test with its reason
        print(f"not ok {number} - {what}\n# {type(e).__name__}: {e}")
        return
    print(f"ok {number} - {what}" + (f" # SKIP {skipped}" if skipped else ""))


def test_there():
    batch = make(COLUMNS, ROWS)
    arrow = to_arrow(batch)
    arrow.validate(full=True)
    batch_unref(batch)  # the array must not need the batch any more
    assert arrow.num_rows == len(ROWS)
    assert arrow.column("name").to_pylist()[:4] == ["雪纺衫", None, "", "👕"]
    assert arrow.column("turns").to_pylist()[0] == [{"role": "user", "n": 1}, None]
    assert arrow.column("grid").to_pylist()[0] == [[True], [], None]
    assert arrow.schema.field("at").type == pa.timestamp("us", tz="UTC")
    child = arrow.column("size").field(1)  # outlives its parent
    del arrow
    gc.collect()
    assert child.to_pylist()[0] == [1, None]


def test_back():
    batch = make(COLUMNS, ROWS)
    back = from_arrow(to_arrow(batch))
    assert text(back) == text(batch)
    assert described(back) == described(batch)
    batch_unref(batch)
    batch_unref(back)


def test_slices():
    batch = make(COLUMNS, ROWS)
    arrow, lines = to_arrow(batch), text(batch)
    for start, length in ((1, 3), (3, 17), (8, 12), (9, 1), (19, 1), (20, 0)):
        part = from_arrow(arrow.slice(start, length))
        assert text(part) == lines[start:start + length], (start, length)
        batch_unref(part)
    batch_unref(batch)


def test_theirs():
    arrow = pa.record_batch({
        "s": pa.array(["中文", None, "a" * 100]), "empty": pa.array([None, None, None], pa.string()),
        "d": pa.array([1.5, float("nan"), -0.0]), "l": pa.array([[1, 2], None, []], pa.list_(pa.int64())),
        "t": pa.array([0, None, 1], pa.timestamp("us", "Asia/Shanghai")),
        "m": pa.StructArray.from_arrays([pa.array([1, 2, 3], pa.int32())], ["x"], mask=pa.array([False, True, False])),
    })
    batch = from_arrow(arrow)
    del arrow
    gc.collect()
    assert described(batch) == ("s: utf8, empty: utf8, d: float64, l: list<int64>, t: timestamp, m: struct<x: int32>")
    assert text(batch)[0].startswith('{"s":"中文","empty":null,"d":1.5,"l":[1,2],"t":"1970-01-01T00:00:00Z","m":{"x":1}')
    batch_unref(batch)


def test_refused():
    for array, word in ((pa.array([1], pa.int8()), "Arrow type 'c'"), (pa.array(["a"]).dictionary_encode(), "dictionary"),
                        (pa.array([1], pa.timestamp("ns")), "Arrow type 'tsn:'"), (pa.array([None]), "Arrow type 'n'")):
        try:
            from_arrow(pa.record_batch({"c": array}))
        except ValueError as e:
            assert word in str(e) and "column 'c'" in str(e), e
        else:
            raise AssertionError(f"{array.type} was taken")


def test_leaks():
    before = pa.total_allocated_bytes()
    for _ in range(50):
        batch = from_arrow(pa.record_batch({"s": pa.array(["x" * 1000] * 100), "l": pa.array([[1, 2]] * 100)}))
        arrow = to_arrow(batch)
        batch_unref(batch)
        assert arrow.num_rows == 100
        del arrow
    gc.collect()
    assert pa.total_allocated_bytes() <= before, "pyarrow's memory was not released"


def test_nanoarrow():
    if na is None:
        return "nanoarrow is not installed"
    batch = make(COLUMNS, ROWS)
    theirs = na.c_array(to_arrow(batch))
    assert theirs.length == len(ROWS)
    assert [r["name"] for r in na.Array(theirs).to_pylist()][:4] == ["雪纺衫", None, "", "👕"]
    back = from_arrow(pa.record_batch(theirs))
    assert text(back) == text(batch)
    batch_unref(batch)
    batch_unref(back)


print(f"1..{N}")
check("flowrun to pyarrow", test_there)
check("flowrun to pyarrow and back", test_back)
check("slices with offsets", test_slices)
check("pyarrow's own arrays", test_theirs)
check("types outside the profile", test_refused)
check("nothing is left behind", test_leaks)
check("nanoarrow", test_nanoarrow)
