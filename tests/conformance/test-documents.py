# SPDX-License-Identifier: Apache-2.0
"""source.documents on files that other people's libraries write.

python-docx, openpyxl, python-pptx, reportlab and fpdf2 each write a document from one known
content, with the parts that their users use (styles, lists, tables, merged cells, dates, notes,
headers and footers, pages, columns); what flowrun reads must be that content.  Needs FLOWRUN_VENV, a
virtual environment; each library that is missing is skipped.
"""
import datetime
import json
import os
import subprocess
import sys
import tempfile

import oracles

oracles.enter()
tests = []
work = tempfile.mkdtemp(prefix="flowrun-documents-")


def test(needs):
    def add(func):
        tests.append((needs, func))
        return func

    return add


def read(path, **with_):
    """The rows and rejects of one document."""
    pipeline = os.path.join(work, "p.json")
    out, bad = os.path.join(work, "out.jsonl"), os.path.join(work, "bad.jsonl")
    with open(pipeline, "w") as f:
        json.dump(
            {
                "stages": {
                    "d": {"use": "source.documents", "with": {"path": path, **with_}},
                    "o": {"use": "sink.jsonl", "from": "d", "with": {"path": out}},
                    "r": {"use": "sink.jsonl", "from": "d.rejects", "with": {"path": bad}},
                }
            },
            f,
        )
    run = subprocess.run(
        [os.environ["FLOWRUN"], pipeline, "--run-dir", os.path.join(work, "run"), "--fresh", "--progress", "none"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    rows = [json.loads(line) for line in open(out, encoding="utf-8")]
    rejects = [json.loads(line) for line in open(bad, encoding="utf-8")]
    assert not rejects, rejects
    return rows


def same(got, wanted):
    assert got == wanted, f"\n got    {got!r}\n wanted {wanted!r}"


@test("docx")
def docx_structure(lib):
    path = os.path.join(work, "a.docx")
    d = lib.Document()
    d.core_properties.title = "手册 Handbook"
    d.core_properties.author = "王五"
    d.core_properties.modified = datetime.datetime(2024, 5, 6, 7, 8, 9)
    d.sections[0].header.paragraphs[0].text = "HEADER"
    d.sections[0].footer.paragraphs[0].text = "FOOTER"
    d.add_heading("Handbook", 0)
    d.add_heading("安装", 1)
    p = d.add_paragraph("先")
    p.add_run("加粗").bold = True
    p.add_run("再\t制表")
    d.add_paragraph("first", style="List Bullet")
    d.add_paragraph("second", style="List Number")
    t = d.add_table(rows=2, cols=3)
    for i, text in enumerate(("名称", "值", "备注")):
        t.cell(0, i).text = text
    t.cell(1, 0).text = "a"
    t.cell(1, 1).merge(t.cell(1, 2)).text = "b | c"
    d.add_page_break()
    d.add_heading("第二", 2)
    d.add_paragraph("结束 & <tag>")
    d.save(path)
    rows = read(path)
    same(len(rows), 1)
    same(
        rows[0]["text"],
        "# Handbook\n\n# 安装\n\n先加粗再\t制表\n\n- first\n1. second\n\n"
        "| 名称 | 值 | 备注 |\n| --- | --- | --- |\n| a | b \\| c |  |\n\n## 第二\n\n结束 & <tag>",
    )
    same((rows[0]["title"], rows[0]["author"], rows[0]["date"]), ("手册 Handbook", "王五", "2024-05-06T07:08:09Z"))


@test("openpyxl")
def xlsx_cells(lib):
    path = os.path.join(work, "a.xlsx")
    b = lib.Workbook()
    s = b.active
    s.title = "库存"
    s.append(["品名", "日期", "比例", "数量", "有货"])
    s.append(["茶 & 杯", datetime.date(2024, 2, 29), 0.5, 1234567.25, True])
    s.append(["壶", datetime.datetime(1900, 1, 1, 12, 30), 1, -3, False])
    for row in (2, 3):
        s.cell(row, 3).number_format = "0.0%"
    s["A5"] = "=SUM(D2:D3)"
    s["B5"] = datetime.time(8, 30)
    s.oddHeader.center.text = "HEADER"
    hidden = b.create_sheet("秘密")
    hidden["A1"] = "no"
    hidden.sheet_state = "hidden"
    b.save(path)
    rows = read(path, record="row")
    same(
        [r["cells"] for r in rows],
        [
            ["茶 & 杯", "2024-02-29", "50%", "1234567.25", "TRUE"],
            ["壶", "1900-01-01 12:30:00", "100%", "-3", "FALSE"],
            ["", "08:30:00"],
        ],
    )
    same(rows[0]["columns"], ["品名", "日期", "比例", "数量", "有货"])
    same({r["name"] for r in rows}, {"库存"})


@test("pptx")
def pptx_slides(lib):
    path = os.path.join(work, "a.pptx")
    p = lib.Presentation()
    slide = p.slides.add_slide(p.slide_layouts[1])
    slide.shapes.title.text = "议程"
    body = slide.placeholders[1].text_frame
    body.text = "第一点"
    q = body.add_paragraph()
    q.text = "细节"
    q.level = 1
    slide.notes_slide.notes_text_frame.text = "备注"
    slide = p.slides.add_slide(p.slide_layouts[5])
    slide.shapes.title.text = "表格"
    from pptx.util import Inches

    t = slide.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for r in range(2):
        for c in range(2):
            t.cell(r, c).text = "abcd"[r * 2 + c]
    p.save(path)
    rows = read(path, record="page")
    same([r["text"] for r in rows], ["## 议程\n\n- 第一点\n  - 细节\n\n备注", "## 表格\n\n| a | b |\n| --- | --- |\n| c | d |"])
    same([r["name"] for r in rows], ["议程", "表格"])


PARAGRAPH = (
    "The quick brown fox jumps over the lazy dog while the committee deliberates at considerable "
    "length about the procurement of stationery, and nobody remembers who first raised the matter. "
)


@test("reportlab")
def pdf_flow(lib):
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    path = os.path.join(work, "a.pdf")
    styles = getSampleStyleSheet()

    def decorate(canvas, doc):
        canvas.setFont("Helvetica", 9)
        canvas.drawString(72, 800, "Confidential - ACME Corporation")
        canvas.drawCentredString(300, 30, "Page %d" % doc.page)

    story = [Paragraph("Annual Report", styles["Title"])]
    wanted = ["Annual Report"]
    for i in range(30):
        if i % 10 == 0:
            story.append(Paragraph(f"Section {i // 10 + 1}", styles["Heading2"]))
            wanted.append(f"Section {i // 10 + 1}")
        story += [Paragraph(f"Paragraph {i}. " + PARAGRAPH, styles["BodyText"]), Spacer(1, 6)]
        wanted.append((f"Paragraph {i}. " + PARAGRAPH).strip())
    SimpleDocTemplate(path, title="Annual", author="ACME").build(story, onFirstPage=decorate, onLaterPages=decorate)
    rows = read(path)
    text = rows[0]["text"]
    assert "Confidential" not in text and "Page " not in text, text[:300]
    blocks = [b.lstrip("# ") for b in text.split("\n\n")]
    same(blocks, wanted)
    assert "# Annual Report" in text and "## Section 1" in text
    same((rows[0]["title"], rows[0]["author"]), ("Annual", "ACME"))


@test("reportlab")
def pdf_cjk_standard_font(lib):
    """No embedded font: the text is in the encoding of a predefined CMap (UniGB-UCS2-H)."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen import canvas

    path = os.path.join(work, "cjk.pdf")
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    c = canvas.Canvas(path)
    c.setFont("STSong-Light", 12)
    c.drawString(72, 700, "采购合同的第一条：甲方应当按时付款。")
    c.save()
    same(read(path)[0]["text"], "采购合同的第一条：甲方应当按时付款。")


@test("fpdf")
def pdf_embedded_subset(lib):
    path = os.path.join(work, "b.pdf")
    font = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
    if not os.path.exists(font):
        return "DejaVu Sans is missing"
    p = lib.FPDF()
    p.add_page()
    p.add_font("D", fname=font)
    p.set_font("D", size=20)
    p.cell(text="Überschrift", new_x="LMARGIN", new_y="NEXT")
    p.set_font("D", size=11)
    p.multi_cell(0, 6, PARAGRAPH * 2)
    p.output(path)
    same(read(path)[0]["text"], "# Überschrift\n\n" + (PARAGRAPH * 2).strip())


@test("reportlab")
def pdf_tables(lib):
    """Ruled, with cells of several lines, and without rules; text before and behind."""
    from reportlab.lib import colors
    from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

    path = os.path.join(work, "tables.pdf")
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    zh = ParagraphStyle("zh", fontName="STSong-Light", fontSize=10, leading=14, wordWrap="CJK")
    en = getSampleStyleSheet()["BodyText"]
    ruled = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("FONTNAME", (0, 0), (-1, -1), "STSong-Light"), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")])
    close = TableStyle([("ALIGN", (1, 0), (-1, -1), "RIGHT"), ("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0)])
    goods = [["商品编号", "名称", "价格", "库存"], ["A-1001", "云岭明前绿茶", "¥128.00", "35"], ["A-1002", "茉莉银针礼盒", "¥298.00", "8"], ["A-1003", "铸铁壶", "¥459.00", ""]]
    care = [["参数", "说明"], ["材质", "铸铁壶身，内壁搪瓷，不含铅镉，可以放心每天使用，不必担心生锈，也不必担心掉漆。"], ["产地", "浙江龙泉"], ["保养", "第一次使用之前用热水冲洗两遍，不用洗洁精；用完之后倒净剩水，擦干存放。"]]
    bill = [["Item", "Qty", "Unit price", "Total"], ["Cast-iron kettle", "2", "$45.90", "$91.80"], ["Jasmine gift box", "1", "$29.80", "$29.80"], ["Shipping", "", "", "$5.00"]]
    SimpleDocTemplate(path).build(
        [
            Paragraph("下表列出本季全部商品的价格与库存，价格含税。" * 3, zh),
            Table(goods, style=ruled),
            Paragraph("以上价格自即日起生效，解释权归本公司所有。" * 3, zh),
            Table([care[0]] + [[Paragraph(c, zh) for c in row] for row in care[1:]], colWidths=[80, 220], style=ruled),
            Paragraph(PARAGRAPH, en),
            Table(bill, style=close),
            Paragraph(PARAGRAPH, en),
        ]
    )
    text = read(path)[0]["text"]
    got = [[c.strip() for c in l.strip("|").split(" | ")] for l in text.split("\n") if l.startswith("|") and "---" not in l]
    same(got, goods + care + bill)
    same(len(text.split("\n\n")), 7)


@test("fpdf")
def pdf_table_of_fpdf(lib):
    path = os.path.join(work, "table.pdf")
    rows = [["Name", "Material", "Weight"], ["Kettle", "Cast iron with an enamel lining that does not rust", "3.2 kg"], ["Cup", "Porcelain", "0.2 kg"], ["Tray", "Bamboo", "0.5 kg"]]
    p = lib.FPDF()
    p.add_page()
    p.set_font("Helvetica", size=11)
    p.multi_cell(0, 6, PARAGRAPH, new_x="LMARGIN", new_y="NEXT")
    with p.table() as table:
        for row in rows:
            table.row(row)
    p.output(path)
    text = read(path)[0]["text"]
    same([[c.strip() for c in l.strip("|").split(" | ")] for l in text.split("\n") if l.startswith("|") and "---" not in l], rows)


@test("pypdf")
def pdf_password(lib):
    path = os.path.join(work, "locked.pdf")
    w = lib.PdfWriter()
    w.add_blank_page(200, 200)
    w.encrypt("secret")
    w.write(path)
    try:
        read(path)
    except AssertionError as e:
        assert "encrypted" in str(e), e
    else:
        raise AssertionError("an encrypted file was read")


print(f"1..{len(tests)}")
failed = 0
for n, (needs, func) in enumerate(tests, 1):
    lib = oracles.load(needs)
    if lib is None:
        print(f"ok {n} - {func.__name__} # SKIP no {needs}; set FLOWRUN_VENV")
        continue
    if func.__name__.startswith("pdf") and not os.path.exists(os.path.join(os.environ["FLOWRUN_PLUGIN_PATH"], "document-pdf.so")):
        print(f"ok {n} - {func.__name__} # SKIP this build has no PDF reader")
        continue
    try:
        why = func(lib)
        print(f"ok {n} - {func.__name__}" + (f" # SKIP {why}" if why else ""))
    except Exception as e:
        failed += 1
        print(f"not ok {n} - {func.__name__}")
        print("\n".join("# " + line for line in f"{type(e).__name__}: {e}".split("\n")))
subprocess.run(["rm", "-rf", work])
sys.exit(failed > 0)
