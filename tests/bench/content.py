# SPDX-License-Identifier: Apache-2.0
"""content.py: main-content extraction beside resiliparse, trafilatura and readability-lxml.

usage: content.py BENCH_CONTENT DATA [HELP]     see content.sh

F is of the multisets of character pairs, white space removed, of a tool's text and the truth; mean
over pages.  Truths: the XML from which the pages of the Apache manual are made (html-httpd-zh; pages
filled by a script left out), Mozilla Readability's expected.html (html-readability-synthetic), and
of LibreOffice's help what stands in its content box without the list of related topics.  The manual
once more in GB18030 bytes with a meta element that says so, given to every tool as bytes.
Speed: pages a second over the manual, from text to text, in one process and one thread each; ours
and resiliparse alternately, the best of three."""
import collections, glob, json, logging, os, re, subprocess, sys, tempfile, time
import lxml.etree, lxml.html
import trafilatura
import readability
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import bytes_to_str, detect_encoding

logging.disable(logging.CRITICAL)
ours, data = sys.argv[1], sys.argv[2]
manual_help = sys.argv[3] if len(sys.argv) > 3 else ""


def grams(text):
    text = re.sub(r"\s+", "", text)
    return collections.Counter(text[i : i + 2] for i in range(len(text) - 1))


def score(got, want):
    a, b = grams(got), grams(want)
    both = sum((a & b).values())
    p, r = both / max(1, sum(a.values())), both / max(1, sum(b.values()))
    return p, r, 2 * p * r / (p + r) if both else 0.0


def xml_text(path):
    s = open(path, "rb").read()
    s = re.sub(rb"<!DOCTYPE[^>]*>", b"", s)
    s = re.sub(rb"&(?!amp;|lt;|gt;|quot;|apos;|#)[\w.]+;", b" ", s)
    parser = lxml.etree.XMLParser(remove_comments=True, remove_pis=True)
    return "".join(lxml.etree.fromstring(s, parser).itertext())


def html_text(element):
    return "".join(element.xpath(".//text()[not(ancestor::script) and not(ancestor::style)]"))


def manual():
    for path in sorted(glob.glob(data + "/html-httpd-zh/**/*.html.zh-cn.utf8", recursive=True)):
        if not re.search(r"mod/(directives|index|quickreference)\.", path):
            yield path, open(path, "rb").read(), xml_text(path.replace(".html.zh-cn.utf8", ".xml.zh-cn"))


def legacy():
    for path, page, want in manual():
        text = page.decode().replace("charset=UTF-8", "charset=gb2312")
        text = re.sub(r"^<\?xml[^>]*\?>", "", text)
        yield path, text.encode("gb18030"), want


def synthetic():
    for path in sorted(glob.glob(data + "/html-readability-synthetic/*/source.html")):
        want = lxml.html.fromstring(open(path.replace("source", "expected"), encoding="utf8").read())
        yield path, open(path, "rb").read(), html_text(want)


def libreoffice(n=150):
    paths = sorted(glob.glob(manual_help + "/text/**/*.html", recursive=True))
    for path in paths[:: max(1, len(paths) // n)]:
        page = open(path, "rb").read()
        box = lxml.html.fromstring(page).get_element_by_id("DisplayArea", None)
        if box is None or len(box.text_content().strip()) <= 20:
            continue
        for related in box.xpath('.//*[@class="relatedtopics"]'):
            related.getparent().remove(related)
        yield path, page, html_text(box)


def decoded(page):
    """What a careful caller of these tools does with bytes: what resiliparse offers."""
    text = bytes_to_str(page, detect_encoding(page))
    return re.sub(r"^<\?xml[^>]*\?>", "", text)


def by_readability(text):
    document = readability.Document(text)
    return (document.short_title() or "") + "\n" + lxml.html.fromstring(document.summary()).text_content()


rivals = {
    "resiliparse": lambda text: extract_plain_text(text, main_content=True),
    "trafilatura": lambda text: trafilatura.extract(text) or "",
    "readability": by_readability,
}


def quiet(tool, text):
    try:
        return tool(text)
    except Exception:
        return ""


def by_us(pages):
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for i, (_, page, _) in enumerate(pages):
            names.append(f"{folder}/{i}.html")
            open(names[-1], "wb").write(page)
        out = subprocess.run([ours, "text"] + names, capture_output=True, text=True, check=True).stdout
    return [json.loads(line)["text"] for line in out.splitlines()]


def line(name, scores):
    print("  %-12s P %.4f  R %.4f  F %.4f" % ((name,) + tuple(sum(c) / len(c) for c in zip(*scores))))


sets = {"Apache manual, zh": list(manual()), "the same in GB18030": list(legacy()),
        "Readability's synthetic": list(synthetic())}
if manual_help:
    sets["LibreOffice help, zh"] = list(libreoffice())
lists = r"/(index|sitemap)\.html\.zh-cn\.utf8$"
mean = {}
for name, pages in sets.items():
    print(f"{name}: {len(pages)} pages")
    got = {"flowrun": by_us(pages)}
    for rival, tool in rivals.items():
        got[rival] = [quiet(tool, decoded(page)) for _, page, _ in pages]
    for tool, texts in got.items():
        scores = [score(text, want) for text, (_, _, want) in zip(texts, pages)]
        line(tool, scores)
        mean[name, tool] = sum(s[2] for s in scores) / len(scores)
    if name == "Apache manual, zh":
        for tool, texts in got.items():
            scores = [score(t, w) for t, (p, _, w) in zip(texts, pages) if re.search(lists, p)]
            line(tool + ", lists", scores)

paths = sorted(glob.glob(data + "/html-httpd-zh/**/*.html.zh-cn.utf8", recursive=True))
texts = [re.sub(r"^<\?xml[^>]*\?>", "", open(p, encoding="utf8").read()) for p in paths]


def speed_of(tool, seconds):
    start, n = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for text in texts:
            quiet(tool, text)
            n += 1
            if time.perf_counter() - start >= seconds:
                break
    return n / (time.perf_counter() - start)


def our_speed(seconds):
    out = subprocess.run([ours, "time", str(seconds)] + paths, capture_output=True, text=True, check=True)
    return json.loads(out.stdout)["pages_s"]


quiet(rivals["resiliparse"], texts[0])
best = {"flowrun": 0.0, "resiliparse": 0.0}
for _ in range(3):
    best["flowrun"] = max(best["flowrun"], our_speed(1))
    best["resiliparse"] = max(best["resiliparse"], speed_of(rivals["resiliparse"], 1))
for rival in ("trafilatura", "readability"):
    best[rival] = speed_of(rivals[rival], 2)
print(f"speed over {len(paths)} pages of the manual, one process:")
for tool, pages_s in best.items():
    print("  %-12s %8.1f pages/s   flowrun is %.1f times that" % (tool, pages_s, best["flowrun"] / pages_s))
worse = [k for k in mean if k[1] != "flowrun" and mean[k] > mean[k[0], "flowrun"]]
if worse or best["flowrun"] < best["resiliparse"]:
    sys.exit("flowrun is behind: %s" % (worse or "speed"))
