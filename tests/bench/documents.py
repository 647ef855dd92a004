# SPDX-License-Identifier: Apache-2.0
"""documents.py make DIR N: N each of DOCX, XLSX, PDF and EML with a few pages of Chinese and English.
documents.py read RIVAL DIR: reads them as the rival does; prints its name, seconds, processor
seconds and characters.

RIVAL: markitdown, or "libraries": docx2txt, openpyxl (read-only), pypdf and Python's email.  Imports
and Python's start are not counted.
"""
import glob
import os
import sys
import time

SENTENCES = [
    "甲方应当在收到发票之后的三十日内向乙方支付全部货款。",
    "The quarterly figures were reviewed by the committee and found to be in order.",
    "本手册适用于星辰系列的全部型号，安装之前请先阅读安全须知。",
    "Deliveries are made within ten working days unless agreed otherwise in writing.",
    "如果设备在保修期内出现故障，请联系当地的服务网点。",
]


def paragraph(i):
    return "".join(SENTENCES[(i + k) % 5] for k in range(4)) + f" [{i}]"


def make(out, n):
    import docx
    import openpyxl
    from email.message import EmailMessage
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    os.makedirs(out, exist_ok=True)
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    style = getSampleStyleSheet()["BodyText"]
    style.fontName, style.wordWrap = "STSong-Light", "CJK"
    for i in range(n):
        d = docx.Document()
        for k in range(60):
            if k % 12 == 0:
                d.add_heading(f"第 {k // 12 + 1} 节", 1)
            d.add_paragraph(paragraph(i + k))
        t = d.add_table(rows=10, cols=4)
        for k, c in enumerate(t._cells):
            c.text = f"{i}-{k}"
        d.save(f"{out}/{i:04}.docx")
        b = openpyxl.Workbook(write_only=True)
        s = b.create_sheet("表")
        for k in range(1000):
            s.append([k, f"名称 {k % 50}", k * 1.5, "The same text in many rows" if k % 3 else "另一种文字", k % 2 == 0])
        b.save(f"{out}/{i:04}.xlsx")
        SimpleDocTemplate(f"{out}/{i:04}.pdf").build([Paragraph(paragraph(i + k), style) for k in range(60)])
        m = EmailMessage()
        m["From"], m["To"], m["Subject"] = "张三 <z@example.cn>", "li@example.cn", f"关于第 {i} 号合同"
        m["Date"] = "Mon, 06 May 2024 20:30:00 +0800"
        m.set_content("\n\n".join(paragraph(i + k) for k in range(20)) + "\n\n-- \n张三\n")
        m.add_attachment("\n\n".join(paragraph(i + k) for k in range(20)), filename="附件.txt")
        open(f"{out}/{i:04}.eml", "wb").write(m.as_bytes())


def read(rival, folder):
    files = sorted(glob.glob(f"{folder}/*"))
    if rival == "markitdown":
        from markitdown import MarkItDown

        convert = MarkItDown()
        one = lambda path: convert.convert(path).text_content
        files = [f for f in files if not f.endswith(".eml")]
    else:
        import email
        import email.policy

        import docx2txt
        import openpyxl
        import pypdf

        def one(path):
            if path.endswith(".docx"):
                return docx2txt.process(path)
            if path.endswith(".xlsx"):
                book = openpyxl.load_workbook(path, read_only=True, data_only=True)
                return "\n".join("\t".join("" if v is None else str(v) for v in row) for s in book for row in s.iter_rows(values_only=True))
            if path.endswith(".pdf"):
                return "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
            message = email.message_from_binary_file(open(path, "rb"), policy=email.policy.default)
            return message.get_body(("plain",)).get_content() + "".join(a.get_content() for a in message.iter_attachments())

    start, cpu = time.perf_counter(), time.process_time()
    chars = sum(len(one(path)) for path in files)
    print(rival, round(time.perf_counter() - start, 3), round(time.process_time() - cpu, 3), chars, len(files))


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]))
else:
    read(sys.argv[2], sys.argv[3])
