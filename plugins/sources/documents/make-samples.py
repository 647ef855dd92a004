#!/usr/bin/env python3
# make-samples.py DIR: documents for test-documents, written by hand: zip containers with
# XML, PDFs byte by byte, mail, archives, and hostile ones of each.  Standard library only.
import base64
import gzip
import io
import os
import struct
import sys
import tarfile
import zipfile
import zlib

out = sys.argv[1]


def put(name, data):
    path = os.path.join(out, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode("utf-8"))


def container(parts, method=zipfile.ZIP_DEFLATED):
    buf = io.BytesIO()
    with zipfile.ZipFile(buf, "w", method) as z:
        for name, data in parts:
            z.writestr(zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6)), data, method)
    return buf.getvalue()


XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def rels(*items):
    body = "".join(
        f'<Relationship Id="{i}" Type="{t if t.startswith("http") else REL + "/" + t}" Target="{target}"/>'
        for i, t, target in items
    )
    return (
        XML
        + '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        + body
        + "</Relationships>"
    )


CORE = (
    XML
    + '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
    "<dc:title>采购合同 &amp; 附件</dc:title><dc:creator>王小明</dc:creator>"
    "<dcterms:created>2023-05-01T08:00:00Z</dcterms:created>"
    "<dcterms:modified>2024-05-06T12:30:00Z</dcterms:modified></cp:coreProperties>"
)
CORE_TYPE = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
TYPES = XML + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def p(text, style="", props=""):
    s = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{s}{props}</w:pPr><w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r></w:p>"


def docx(body, extra=(), root=W):
    return container(
        [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", rels(("r1", "officeDocument", "word/document.xml"), ("r2", CORE_TYPE, "docProps/core.xml"))),
            ("docProps/core.xml", CORE),
            (
                "word/_rels/document.xml.rels",
                rels(
                    ("s", "styles", "styles.xml"),
                    ("n", "numbering", "numbering.xml"),
                    ("h", "header", "header1.xml"),
                    ("f", "footnotes", "footnotes.xml"),
                ),
            ),
            (
                "word/styles.xml",
                XML
                + f'<w:styles {W}><w:style w:styleId="1"><w:name w:val="heading 1"/></w:style>'
                '<w:style w:styleId="2x"><w:name w:val="Own"/><w:basedOn w:val="2"/></w:style>'
                '<w:style w:styleId="2"><w:name w:val="x"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
                '<w:style w:styleId="T"><w:name w:val="toc 1"/></w:style></w:styles>',
            ),
            (
                "word/numbering.xml",
                XML
                + f'<w:numbering {W}><w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl>'
                '<w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>'
                '<w:num w:numId="3"><w:abstractNumId w:val="7"/></w:num></w:numbering>',
            ),
            ("word/header1.xml", XML + f"<w:hdr {W}>{p('机密 页眉')}</w:hdr>"),
            (
                "word/footnotes.xml",
                XML
                + f'<w:footnotes {W}><w:footnote w:type="separator" w:id="0">{p("---")}</w:footnote>'
                f'<w:footnote w:id="1">{p("脚注内容")}</w:footnote></w:footnotes>',
            ),
            ("word/document.xml", XML + f"<w:document {root}><w:body>{body}</w:body></w:document>"),
            *extra,
        ]
    )


def num(level):
    return f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="3"/></w:numPr>'


def cell(text, props=""):
    return f"<w:tc><w:tcPr>{props}</w:tcPr>{p(text)}</w:tc>"


BODY = (
    p("目录项 1", "T")
    + p("第一章 总则", "1")
    + p("甲方向乙方采购下列货物。")
    + p("付款方式", "2x")
    + p("预付三成", props=num(0))
    + p("银行转账", props=num(1))
    + p("验收后付清", props=num(0))
    + "<w:tbl><w:tr>"
    + cell("名称")
    + cell("单价")
    + "</w:tr><w:tr>"
    + cell("苹果|红")
    + cell("3.50")
    + "</w:tr><w:tr>"
    + cell("合计", '<w:gridSpan w:val="2"/>')
    + "</w:tr></w:tbl>"
    + "<w:p><w:r><w:t>留</w:t></w:r><w:del><w:r><w:delText>删</w:delText></w:r></w:del>"
    "<w:ins><w:r><w:t>增</w:t></w:r></w:ins><w:r><w:rPr><w:vanish/></w:rPr><w:t>藏</w:t></w:r>"
    "<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:tab/><w:t>尾</w:t></w:r></w:p>"
)
put("office/contract.docx", docx(BODY))
put("office/wrong-name.txt", docx(p("Word 文件叫作 txt")))
put("office/empty.docx", docx(p("")))
put("bad/no-main.docx", container([("[Content_Types].xml", TYPES), ("word/document.xml", "")]))
put("bad/not-xml.docx", docx("<w:p><w:r><w:t>a & b</w:t>"))
LAUGHS = '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">%s]>' % "".join(
    f'<!ENTITY x{i} "&x{i - 1};&x{i - 1};&x{i - 1};&x{i - 1};&x{i - 1};&x{i - 1};&x{i - 1};&x{i - 1};">' if i else '<!ENTITY x0 "&b;">'
    for i in range(12)
)
bomb = docx("")
put(
    "bad/laughs.docx",
    container(
        [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", rels(("r1", "officeDocument", "word/document.xml"))),
            ("word/document.xml", LAUGHS + f"<w:document {W}><w:body><w:p><w:r><w:t>&x11;</w:t></w:r></w:p></w:body></w:document>"),
        ]
    ),
)
put(
    "bad/external.docx",
    container(
        [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", rels(("r1", "officeDocument", "word/document.xml"))),
            (
                "word/document.xml",
                f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><w:document {W}><w:body>'
                "<w:p><w:r><w:t>&e;</w:t></w:r></w:p></w:body></w:document>",
            ),
        ]
    ),
)
put(
    "bad/charset.docx",
    container(
        [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", rels(("r1", "officeDocument", "word/document.xml"))),
            (
                "word/document.xml",
                b'<?xml version="1.0" encoding="GB18030"?><w:document ' + W.encode() + b"><w:body>"
                + p("正文" * 20000).encode("gb18030") + b"<w:p><w:r><w:t>\x81\xff\xff</w:t></w:r></w:p></w:body></w:document>",
            ),
        ]
    ),
)
put("bad/deep.docx", docx("<w:p>" + "<w:sdt><w:sdtContent>" * 5000))
put("bad/bomb.docx", docx(p("x"), [("word/extra.xml", b"<a>" + b" " * (80 << 20) + b"</a>")]))
whole = docx(BODY)
put("bad/truncated.docx", whole[: len(whole) * 2 // 3])
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504
put("bad/encrypted.docx", OLE + "EncryptedPackage".encode("utf-16le") + b"\0" * 200)
put("bad/old.doc", OLE + "WordDocument".encode("utf-16le") + b"\0" * 200)

# ---- xlsx --------------------------------------------------------------------
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
sheet1 = (
    XML
    + f'<worksheet {S}><sheetData>'
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row>'
    '<row r="2"><c r="A2" t="s"><v>3</v></c><c r="B2" s="1"><v>45418.5</v></c><c r="C2" s="2"><v>0.125</v></c></row>'
    '<row r="3"><c r="A3" t="inlineStr"><is><t>梨</t></is></c><c r="C3"><f>1+1</f><v>0.30000000000000004</v></c></row>'
    '<row r="4" hidden="1"><c r="A4" t="str"><v>藏</v></c></row>'
    '<row r="6"><c r="B6" t="b"><v>1</v></c><c r="C6" t="e"><v>#N/A</v></c></row>'
    "</sheetData><headerFooter><oddHeader>页眉</oddHeader></headerFooter></worksheet>"
)
put(
    "office/book.xlsx",
    container(
        [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", rels(("r1", "officeDocument", "xl/workbook.xml"))),
            (
                "xl/workbook.xml",
                XML
                + f'<workbook {S} xmlns:r="{REL}"><sheets><sheet name="价格表" sheetId="1" r:id="rId1"/>'
                '<sheet name="隐" sheetId="2" state="hidden" r:id="rId2"/></sheets></workbook>',
            ),
            (
                "xl/_rels/workbook.xml.rels",
                rels(
                    ("rId1", "worksheet", "worksheets/sheet1.xml"),
                    ("rId2", "worksheet", "/xl/worksheets/sheet2.xml"),
                    ("rId3", "styles", "styles.xml"),
                    ("rId4", "sharedStrings", "sharedStrings.xml"),
                ),
            ),
            (
                "xl/styles.xml",
                XML
                + f'<styleSheet {S}><numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd h:mm"/></numFmts>'
                '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
                '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="10"/></cellXfs></styleSheet>',
            ),
            (
                "xl/sharedStrings.xml",
                XML
                + f"<sst {S}><si><t>名称</t></si><si><t>日期</t></si><si><r><t>折</t></r><r><t>扣</t></r></si>"
                "<si><t>苹果</t><rPh><t>ピ</t></rPh></si></sst>",
            ),
            ("xl/worksheets/sheet1.xml", sheet1),
            ("xl/worksheets/sheet2.xml", XML + f'<worksheet {S}><sheetData><row><c t="str"><v>秘密</v></c></row></sheetData></worksheet>'),
        ]
    ),
)

# ---- pptx --------------------------------------------------------------------
PN = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="%s"' % REL
)


def shape(kind, *paragraphs, idx=""):
    ph = f'<p:nvSpPr><p:nvPr><p:ph type="{kind}"{idx}/></p:nvPr></p:nvSpPr>' if kind else ""
    return f"<p:sp>{ph}<p:txBody>{''.join(paragraphs)}</p:txBody></p:sp>"


def ap(text, props=""):
    return f"<a:p>{props}<a:r><a:t>{text}</a:t></a:r></a:p>"


def slide(*shapes, attrs=""):
    return XML + f"<p:sld {PN}{attrs}><p:cSld><p:spTree>{''.join(shapes)}</p:spTree></p:cSld></p:sld>"


table = (
    "<p:graphicFrame><a:tbl><a:tr><a:tc><a:txBody>" + ap("季度") + "</a:txBody></a:tc><a:tc><a:txBody>" + ap("销量")
    + "</a:txBody></a:tc></a:tr><a:tr><a:tc><a:txBody>" + ap("Q1") + "</a:txBody></a:tc><a:tc><a:txBody>" + ap("12")
    + "</a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>"
)
put(
    "office/deck.pptx",
    container(
        [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", rels(("r1", "officeDocument", "ppt/presentation.xml"))),
            (
                "ppt/presentation.xml",
                XML + f'<p:presentation {PN}><p:sldIdLst><p:sldId id="256" r:id="b"/><p:sldId id="257" r:id="a"/>'
                '<p:sldId id="258" r:id="c"/></p:sldIdLst></p:presentation>',
            ),
            (
                "ppt/_rels/presentation.xml.rels",
                rels(("a", "slide", "slides/slide1.xml"), ("b", "slide", "slides/slide2.xml"), ("c", "slide", "slides/slide3.xml")),
            ),
            ("ppt/slides/slide1.xml", slide(table, shape("title", ap("销售")))),
            (
                "ppt/slides/slide2.xml",
                slide(
                    shape("body", ap("要点一"), ap("细节", '<a:pPr lvl="1"/>'), idx=' idx="1"'),
                    shape("title", ap("开场")),
                    shape("sldNum", '<a:p><a:fld type="slidenum"><a:t>7</a:t></a:fld></a:p>'),
                    shape("ftr", ap("公司机密")),
                ),
            ),
            ("ppt/slides/_rels/slide2.xml.rels", rels(("n", "notesSlide", "../notesSlides/n2.xml"))),
            ("ppt/notesSlides/n2.xml", slide(shape("body", ap("讲者备注"), idx=' idx="1"'), shape("sldNum", ap("2")))),
            ("ppt/slides/slide3.xml", slide(shape("title", ap("隐藏页")), attrs=' show="0"')),
        ]
    ),
)

# ---- OpenDocument ------------------------------------------------------------
ON = " ".join(
    f'xmlns:{a}="urn:oasis:names:tc:opendocument:xmlns:{b}:1.0"'
    for a, b in [("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"), ("presentation", "presentation"), ("style", "style")]
)


def odf(kind, body, manifest="", styles=""):
    return container(
        [
            ("mimetype", "application/vnd.oasis.opendocument." + kind),
            ("META-INF/manifest.xml", manifest or XML + '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'),
            ("meta.xml", XML + f'<office:document-meta {ON} xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta><dc:title>开放文档</dc:title>'
             "<dc:creator>李雷</dc:creator><dc:date>2024-02-03T04:05:06.123</dc:date></office:meta></office:document-meta>"),
            ("content.xml", XML + f"<office:document-content {ON}><office:automatic-styles>{styles}</office:automatic-styles><office:body>{body}</office:body></office:document-content>"),
        ],
        zipfile.ZIP_STORED,
    )


put(
    "office/text.odt",
    odf(
        "text",
        "<office:text><text:tracked-changes><text:p>删除的</text:p></text:tracked-changes>"
        '<text:h text:outline-level="2">第二节</text:h><text:p>一个<text:s text:c="2"/>空格\n  与<text:line-break/>换行'
        "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>尾注</text:p></text:note-body></text:note></text:p>"
        '<text:list text:style-name="L1"><text:list-item><text:p>甲</text:p></text:list-item><text:list-item><text:p>乙</text:p>'
        "<text:list><text:list-item><text:p>丙</text:p></text:list-item></text:list></text:list-item></text:list>"
        "<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>键</text:p></table:table-cell>"
        '<table:table-cell><text:p>值</text:p></table:table-cell></table:table-row></table:table-header-rows>'
        '<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="2"><text:p>1</text:p></table:table-cell></table:table-row></table:table></office:text>',
        styles='<text:list-style style:name="L1"><text:list-level-style-number text:level="1"/></text:list-style>',
    ),
)
put(
    "office/sheet.ods",
    odf(
        "spreadsheet",
        '<office:spreadsheet><table:table table:name="表一"><table:table-row><table:table-cell office:value-type="string"><text:p>城市</text:p></table:table-cell>'
        '<table:table-cell><text:p>人口</text:p></table:table-cell><table:table-cell table:number-columns-repeated="1022"/></table:table-row>'
        "<table:table-row><table:table-cell><text:p>北京</text:p></table:table-cell><table:table-cell><text:p>2189万</text:p></table:table-cell></table:table-row>"
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="1024"/></table:table-row></table:table></office:spreadsheet>',
    ),
)
put(
    "office/show.odp",
    odf(
        "presentation",
        '<office:presentation><draw:page draw:name="p1"><draw:frame presentation:class="title"><draw:text-box><text:p>标题页</text:p></draw:text-box></draw:frame>'
        '<draw:frame presentation:class="page-number"><draw:text-box><text:p>1</text:p></draw:text-box></draw:frame>'
        "<draw:frame><draw:text-box><text:list><text:list-item><text:p>条目</text:p></text:list-item></text:list></draw:text-box></draw:frame>"
        "<presentation:notes><text:p>演讲稿</text:p></presentation:notes></draw:page></office:presentation>",
    ),
)
put(
    "bad/repeat.ods",
    odf(
        "spreadsheet",
        '<office:spreadsheet><table:table><table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384">'
        "<text:p>爆炸</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet>",
    ),
)
put(
    "bad/encrypted.odt",
    odf(
        "text",
        "",
        XML + '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>',
    ),
)

# ---- PDF ---------------------------------------------------------------------


def pdf(pages, info="", extra="", encrypt=""):
    """pages: lists of (x, y from the bottom, size, text, bold); Chinese through a Type 0
    font whose codes are UTF-16 and a ToUnicode map that says so."""
    objects = []

    def add(body):
        objects.append(body if isinstance(body, bytes) else body.encode("latin-1"))
        return len(objects)

    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n1 beginbfrange <0000> <FFFF> <0000> endbfrange\n"
        b"endcmap end end"
    )
    # One range must stay within a last byte (9.10.3): 256 of them.
    ranges = b"".join(
        b"%d beginbfrange\n%s endbfrange\n"
        % (64, b"".join(b"<%02X00> <%02XFF> <%02X00>\n" % (hi, hi, hi) for hi in range(block, block + 64)))
        for block in range(0, 256, 64)
    )
    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n" + ranges + b"endcmap end end"
    )
    add("<< /Type /Catalog /Pages 2 0 R >>")
    add("")
    touni = add(b"<< /Length %d >>\nstream\n" % len(cmap) + cmap + b"\nendstream")
    fonts = []
    for name in ("Song", "Song-Bold"):
        desc = add(f"<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [0 -200 1000 800] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>")
        cid = add(
            f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
            f"/FontDescriptor {desc} 0 R /DW 1000 /W [0 [{' '.join(['500'] * 256)}]] >>"
        )
        fonts.append(add(f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H /DescendantFonts [{cid} 0 R] /ToUnicode {touni} 0 R >>"))
    kids = []
    for lines in pages:
        content = b"".join(
            b"BT /F%d %g Tf %g %g Td <%s> Tj ET\n" % (2 if bold else 1, size, x, y, text.encode("utf-16-be").hex().encode())
            for x, y, size, text, bold in lines
        )
        packed = zlib.compress(content)
        stream = add(b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(packed) + packed + b"\nendstream")
        kids.append(
            add(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 {fonts[0]} 0 R /F2 {fonts[1]} 0 R >> >> /Contents {stream} 0 R >>")
        )
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(f'{k} 0 R' for k in kids)}] >>".encode()
    trailer = f"/Size {len(objects) + 1} /Root 1 0 R"
    if info:
        trailer = f"/Info {add(info)} 0 R " + trailer.replace(f"/Size {len(objects)}", f"/Size {len(objects) + 1}")
    data = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for i, body in enumerate(objects):
        offsets.append(len(data))
        data += b"%d 0 obj\n" % (i + 1) + body + b"\nendobj\n"
    xref = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % o for o in offsets)
    data += f"trailer << {trailer} {encrypt}>>\nstartxref\n{xref}\n%%EOF\n".encode()
    return data


def page(number, total, body):
    head = [(72, 800, 9, f"星辰公司 年度报告", False)]
    foot = [(280, 30, 9, f"第 {number} 页 共 {total} 页", False)]
    return head + body + foot


def lines(x, y, size, *texts, bold=False, leading=1.5):
    return [(x, y - i * size * leading, size, t, bold) for i, t in enumerate(texts)]


LONG = "这是正文里的一行文字它一直写到右边的边缘才换到下一行去继续写"
report = pdf(
    [
        page(1, 4, lines(72, 740, 22, "年度经营报告") + lines(72, 690, 12, LONG, "并且在这里结束。") + lines(72, 630, 12, "Manage-", "ment is a word.")),
        page(2, 4, lines(72, 740, 16, "二、市场") + lines(72, 700, 12, LONG, LONG[:10] + "。") + lines(72, 630, 12, "• 第一项", "• 第二项")),
        page(3, 4, lines(72, 740, 12, LONG, LONG)),
        page(4, 4, lines(72, 740, 12, "跨页的句子到这里为止。")),
    ],
    info="<< /Title (Annual Report) /Author (Star) /ModDate (D:20240506123000Z) >>",
)
put("pdf/report.pdf", report)
left = lines(60, 760, 12, *["左栏第%d行的文字内容在这里" % i for i in range(1, 21)])
right = lines(330, 760, 12, *["右栏第%d行的文字内容在这里" % i for i in range(1, 21)])
# written line by line across, as many programs do
put("pdf/columns.pdf", pdf([[l for pair in zip(left, right) for l in pair]]))
# cells of a row in one piece of text, as poppler finds them: numbers meet
put(
    "pdf/table.pdf",
    pdf(
        [
            lines(72, 780, 12, LONG)
            + [
                (x, 740 - i * 20, 12, cell, i == 0)
                for i, row in enumerate([("名称", "价格", "库存"), ("明前绿茶", "128.00", "35"), ("茉莉银针", "298.00", "8"), ("铸铁壶", "459.00", "")])
                for x, cell in zip((72, 144, 204), row)
            ]
            + lines(72, 640, 12, LONG)
        ]
    ),
)
put("pdf/scan.pdf", pdf([[]]))
cut = report.rindex(b"xref\n0")
put("pdf/no-xref.pdf", report[:cut] + b"xref\n0 3\n0000000000 65535 f \n9999999999 00000 n \ntrailer << /Root 1 0 R >>\nstartxref\n7\n%%EOF\n")
put("bad/garbage.pdf", b"%PDF-1.7\n" + bytes((i * 37 + 11) & 0xFF for i in range(5000)))
put("bad/half.pdf", report[: len(report) // 3])
put("bad/locked.pdf", pdf([page(1, 1, [])], encrypt="/ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> " % ("ab" * 32, "cd" * 32)))

# ---- mail --------------------------------------------------------------------
def word(text, charset, cut=0):
    raw = text.encode(charset if charset != "gb2312" else "gbk")
    if cut:
        return " ".join(f"=?{charset}?B?{base64.b64encode(raw[i:i + cut]).decode()}?=" for i in range(0, len(raw), cut))
    return f"=?{charset}?B?{base64.b64encode(raw).decode()}?="


put(
    "mail/gbk.eml",
    ("From: " + word("张三", "gb2312") + " <zhang@example.cn>\r\nTo: li@example.cn\r\nSubject: " + word("关于采购合同的回复喆", "gb2312", 5)
     + "\r\nDate: Mon, 6 May 2024 20:30:00 +0800\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=\"gb2312\"\r\nContent-Transfer-Encoding: base64\r\n\r\n").encode()
    + base64.encodebytes("李总：\r\n\r\n合同已经盖章，陶喆先生下周寄出。\r\n\r\n-- \r\n张三\r\n电话 123\r\n\r\n------------------ 原始邮件 ------------------\r\n发件人: \"李四\"\r\n旧的内容\r\n".encode("gbk")),
)
put(
    "mail/reply.eml",
    "From: Ann <ann@example.com>\nTo: bob@example.com\nSubject: Re: plan\nDate: Tue, 7 May 2024 10:00:00 +0000\n"
    "Content-Type: multipart/mixed; boundary=xx\nMIME-Version: 1.0\n\n--xx\nContent-Type: multipart/alternative; boundary=yy\n\n"
    "--yy\nContent-Type: text/plain; charset=utf-8; format=flowed\n\nFine with me, \nlet us start.\n\nOn Mon, May 6, 2024 at 9:00 AM Bob\n<bob@example.com> wrote:\n> old\n> words\n\nAnd one more thing.\n\nSent from my phone\n"
    "--yy\nContent-Type: text/html\n\n<p>never shown</p>\n--yy--\n--xx\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"notes.md\"\n\n# Notes\n\ntext of the attachment\n"
    "--xx\nContent-Type: image/png\nContent-Disposition: attachment; filename=a.png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgoAAAAA\n--xx--\n",
)
put(
    "mail/html.eml",
    "From: x@example.com\nSubject: html only\nDate: Wed, 8 May 2024 10:00:00 +0000\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n"
    "<html><body><p>网页正文</p><blockquote><p>引用的旧文</p></blockquote></body></html>\n",
)
put(
    "mail/box.mbox",
    "From a@b.c Mon May  6 10:00:00 2024\nFrom: a@b.c\nSubject: one\n\nFirst body.\n>From here on it is text.\n\nFrom d@e.f Tue May  7 11:00:00 2024\nFrom: d@e.f\nSubject: two\n\nSecond body.\n\nFrom where I stand this is no separator.\n",
)
put("bad/secret.eml", "From: a@b.c\nTo: d@e.f\nSubject: s\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nAAAA\n")
deep = "From: a@b.c\nTo: d@e.f\nSubject: s\nMIME-Version: 1.0\n"
for i in range(3000):
    deep += f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n"
put("bad/deep.eml", deep + "\ntext\n")
forward = "From: a@b.c\nTo: d@e.f\nSubject: s\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n" * 40
put("bad/forward.eml", forward + "From: a@b.c\nTo: d@e.f\nSubject: s\n\nthe end\n")

# ---- text ---------------------------------------------------------------------
put("text/gbk.txt", "中文的纯文本，以国标编码保存。\r\n\r\n第二段。".encode("gb18030"))
put(
    "text/readme.md",
    "---\ntitle: \"手册\"\ndate: 2024-01-02\n---\n\n标题\n===\n\n一段 *强调* 与 [链接](http://x.y/z) 以及 `代码`\n的话。\n\n- 甲\n  - 乙\n1. 丙\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> 引用\n\n```c\nint  x;\n```\n\n## Second `code` part\n\n![图](a.png)&copy;\n",
)
put(
    "text/page.html",
    "<!doctype html><html lang=zh><head><title>页面</title></head><body><nav><a href=/>首页</a> <a href=/b>产品</a></nav><article><h1>正文标题</h1>"
    "<p>这是网页的正文，它足够长，可以被认出来是正文而不是导航，因为它有标点，也有句子。</p><p>第二段同样是正文，同样有句子，而且也足够长，所以会留下来。</p></article>"
    "<footer>版权所有</footer></body></html>",
)
put("text/empty.txt", "")
put("text/image.txt", b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
put("text/.hidden.txt", "hidden")

# ---- archives -----------------------------------------------------------------
inner = container([("深/内.txt", "压缩包里的压缩包里的文本".encode()), ("b.docx", docx(p("归档的文档")))])
put("archive/all.zip", container([("a.txt", "包里的文本"), ("inner.zip", inner), ("__MACOSX/a.txt", "x"), ("../up.txt", "想要离开"), ("pic.png", b"\x89PNG\r\n\x1a\n")]))
buf = io.BytesIO()
with tarfile.open(fileobj=buf, mode="w:gz", format=tarfile.PAX_FORMAT) as t:
    for name, text in (("t/一.txt", "磁带里的文本"), ("t/二.txt", "磁带里的第二篇")):
        info = tarfile.TarInfo(name)
        info.size = len(text.encode())
        t.addfile(info, io.BytesIO(text.encode()))
    link = tarfile.TarInfo("t/l")
    link.type = tarfile.SYMTYPE
    link.linkname = "/etc/passwd"
    t.addfile(link)
put("archive/tape.tgz", buf.getvalue())
put("archive/single.txt.gz", gzip.compress("单个压缩的文本".encode(), mtime=0))
put("bad/zeros.gz", gzip.compress(b"na " * (100 << 20), 9, mtime=0))
put("bad/nothing.zip", b"PK\5\6" + b"\0" * 18)
cut_zip = container([("one.txt", "第一篇完整"), ("two.txt", os.urandom(3000))])
put("bad/cut.zip", cut_zip[:1500])
nest = b"the core"
for i in range(8):
    nest = container([("n.zip" if i else "n.txt", nest)])
put("bad/nest.zip", nest)
put("bad/fake.zip", b"PK\x03\x04" + b"nonsense" * 50)
# a zip whose one member says it is encrypted (bit 0 of the flags, in both headers)
locked = bytearray(container([("s.txt", "geheim")], zipfile.ZIP_STORED))
locked[6] |= 1
locked[locked.index(b"PK\x01\x02") + 8] |= 1
put("bad/locked.zip", bytes(locked))

# ---- links --------------------------------------------------------------------
os.makedirs(os.path.join(out, "links/sub/.dot"), exist_ok=True)
put("links/a.txt", "甲的内容")
put("links/sub/b.txt", "乙的内容")
put("links/sub/.dot/c.txt", "藏在点目录里的内容")
put("outside.txt", "外面的内容")
for name, target in (
    ("links/again.txt", "a.txt"),
    ("links/loop", "."),
    ("links/sub/up", ".."),
    ("links/out.txt", "../outside.txt"),
    ("links/outdir", "/"),
    ("links/nowhere", "missing"),
    ("links/self", "self"),
    ("links/dotted.txt", "sub/.dot/c.txt"),
):
    os.symlink(target, os.path.join(out, name))
os.mkfifo(os.path.join(out, "links/pipe"))
