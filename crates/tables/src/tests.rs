use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;

use super::*;

/// All rows with all cells.
fn rows(table: &Table) -> Vec<(u32, Vec<(u32, &str)>)> {
    table.rows().map(|row| (row.number(), row.cells().collect())).collect()
}

fn cells(bytes: &[u8], name: &str) -> Vec<(u32, Vec<(u32, String)>)> {
    let table = read(bytes, name, None).unwrap_or_else(|error| panic!("{name}: {error}"));
    let owned = rows(&table).into_iter().map(|(number, cells)| {
        (number, cells.into_iter().map(|(column, text)| (column, text.to_owned())).collect())
    });
    owned.collect()
}

fn row(number: u32, texts: &[&str]) -> (u32, Vec<(u32, String)>) {
    let filled = (1..).zip(texts).filter(|(_, text)| !text.is_empty());
    (number, filled.map(|(column, text)| (column, (*text).to_owned())).collect())
}

fn why(bytes: &[u8], name: &str) -> Unreadable {
    read(bytes, name, None).expect_err("it is not a table")
}

/// An archive of these parts.
fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut list) = (Vec::new(), Vec::new());
    for (name, content) in parts {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(content).expect("it is packed in memory");
        let packed = packer.finish().expect("it is packed in memory");
        let sizes = [packed.len(), content.len()].map(|size| u32::try_from(size).unwrap_or(0));
        let name_length = u16::try_from(name.len()).unwrap_or(0).to_le_bytes();
        let fixed: Vec<u8> = [
            &[20, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &sizes[0].to_le_bytes(),
            &sizes[1].to_le_bytes(),
            &name_length,
            &[0, 0],
        ]
        .concat();
        let offset = u32::try_from(bytes.len()).unwrap_or(0);
        list.extend(
            [
                b"PK\x01\x02\x14\x00".as_slice(),
                &fixed,
                &[0; 10],
                &offset.to_le_bytes(),
                name.as_bytes(),
            ]
            .concat(),
        );
        bytes.extend([b"PK\x03\x04".as_slice(), &fixed, name.as_bytes(), &packed].concat());
    }
    let count = u16::try_from(parts.len()).unwrap_or(0).to_le_bytes();
    let begin = u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes();
    let length = u32::try_from(list.len()).unwrap_or(0).to_le_bytes();
    bytes.extend(&list);
    bytes.extend(
        [b"PK\x05\x06\x00\x00\x00\x00".as_slice(), &count, &count, &length, &begin, &[0, 0]]
            .concat(),
    );
    bytes
}

const RELATIONS: &[u8] = br#"<Relationships><Relationship Id="r1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="http://x/worksheet" Target="/xl/worksheets/sheet2.xml"/><Relationship Id="r3" Type="http://x/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="r4" Type="http://x/styles" Target="styles.xml"/></Relationships>"#;
const BOOK: &[u8] = "<workbook xmlns:r=\"r\"><sheets><sheet name=\"秘密\" r:id=\"r2\" state=\"hidden\"/><sheet name=\"问答\" r:id=\"r1\"/></sheets></workbook>".as_bytes();
const STYLES: &[u8] = "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"0.00&quot;元&quot;\"/></numFmts><cellStyleXfs><xf numFmtId=\"9\"/></cellStyleXfs><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>".as_bytes();

fn workbook(sheet: &str, shared: &str) -> Vec<u8> {
    archive(&[
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/styles.xml", STYLES),
        ("xl/sharedStrings.xml", format!("<sst>{shared}</sst>").as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        (
            "xl/worksheets/sheet2.xml",
            b"<worksheet><sheetData><row><c t='str'><v>two</v></c></row></sheetData></worksheet>",
        ),
    ])
}

fn sheet_of(body: &str) -> Vec<u8> {
    let body = format!(
        "<office:document-content xmlns:office='o' xmlns:table='t' xmlns:text='x'><office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    );
    archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", body.as_bytes()),
    ])
}

#[test]
fn text_is_read_as_people_save_it() {
    let expected = [row(1, &["问题", "答案"]), row(2, &["怎么退货", "7 天内"])];
    let comma = "问题,答案\r\n怎么退货,7 天内\r\n";
    let gb = encoding_rs::GB18030.encode(comma).0;
    let utf16 = |to_bytes: fn(u16) -> [u8; 2], text: &str| -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    };
    let tabs = comma.replace(',', "\t");
    for (bytes, form) in [
        (comma.as_bytes().to_vec(), "text in UTF-8, cells separated by ,"),
        (format!("\u{feff}{comma}").into_bytes(), "text in UTF-8, cells separated by ,"),
        (gb.to_vec(), "text in GB18030, cells separated by ,"),
        (comma.replace(',', ";").into_bytes(), "text in UTF-8, cells separated by ;"),
        (
            format!("sep=;\r\n{}", comma.replace(',', ";")).into_bytes(),
            "text in UTF-8, cells separated by ;",
        ),
        (tabs.clone().into_bytes(), "text in UTF-8, cells separated by tabs"),
        (
            utf16(u16::to_le_bytes, &format!("\u{feff}{tabs}")),
            "text in UTF-16, cells separated by tabs",
        ),
        (
            utf16(u16::to_be_bytes, &format!("\u{feff}{tabs}")),
            "text in UTF-16, cells separated by tabs",
        ),
        (utf16(u16::to_le_bytes, comma), "text in UTF-16, cells separated by ,"),
        (utf16(u16::to_be_bytes, comma), "text in UTF-16, cells separated by ,"),
        (comma.replace("\r\n", "\r").into_bytes(), "text in UTF-8, cells separated by ,"),
    ] {
        let table = read(&bytes, "faq.csv", None).expect("a table");
        assert_eq!(table.form().to_string(), form);
        let shift = u32::from(bytes.starts_with(b"sep="));
        let expected: Vec<_> =
            expected.iter().map(|(n, cells)| (n + shift, cells.clone())).collect();
        assert_eq!(cells(&bytes, "faq.csv"), expected, "{form}");
    }
}

#[test]
fn rows_have_the_numbers_of_a_spreadsheet() {
    let text = "a,b\r\n\r\n\"c\r\nd\",e\r\n,\r\n\r\n\r\nf,\"g \"\"h\"\"\"\r\n";
    let expected = vec![row(1, &["a", "b"]), row(3, &["c\nd", "e"]), row(7, &["f", "g \"h\""])];
    assert_eq!(cells(text.as_bytes(), "x.csv"), expected);
    assert_eq!(cells(text.replace("\r\n", "\n").as_bytes(), "x.csv"), expected);
}

#[test]
fn blanks_before_a_quotation_mark_do_not_matter() {
    let text = "问题, 答案\n多少钱, \"十,块\"\nsay,  \"a \"\"b\"\"\" \nhe, \"no\" he said\ninch, \"5\nfoot,\t\"6\"\n";
    let expected = vec![
        row(1, &["问题", "答案"]),
        row(2, &["多少钱", "十,块"]),
        row(3, &["say", "a \"b\""]),
        row(4, &["he", "\"no\" he said"]),
        row(5, &["inch", "\"5"]),
        row(6, &["foot", "6"]),
    ];
    assert_eq!(cells(text.as_bytes(), "x.csv"), expected);
}

#[test]
fn separators_are_those_that_fit_most_rows() {
    let semicolons = "how;Yes, we do\nwhen;At 9, or 10\nwhere;Here\n";
    assert_eq!(cells(semicolons.as_bytes(), "x.csv")[0], row(1, &["how", "Yes, we do"]));
    let bars = "退货|怎么退,7 天\n营业|几点开,9 点\n";
    assert_eq!(cells(bars.as_bytes(), "x.csv")[1], row(2, &["营业|几点开", "9 点"]));
    assert_eq!(cells(b"one\ntwo\n", "x.csv"), [row(1, &["one"]), row(2, &["two"])]);
}

#[test]
fn json_keeps_its_order_and_may_have_several_answers() {
    let pairs = r#"{"b": "1", "a": ["2", "3"], "n": 7, "x": null}"#;
    let expected = [
        row(1, &["b", "1"]),
        row(2, &["a", "2"]),
        row(2, &["a", "3"]),
        row(3, &["n", "7"]),
        row(4, &["x"]),
    ];
    assert_eq!(cells(pairs.as_bytes(), "x.json"), expected);
    let objects = r#"[{"答案": "1", "问题": ["a", "b"]}, {"问题": "c", "id": 3}]"#;
    let expected =
        [row(0, &["答案", "问题", "id"]), row(1, &["1", "a\nb"]), row(2, &["", "c", "3"])];
    assert_eq!(cells(objects.as_bytes(), "x.json"), expected);
    assert_eq!(cells(br#"[["q", "a"]]"#, "x.json"), [row(1, &["q", "a"])]);
}

#[test]
fn a_workbook_is_read_as_its_sheet_shows_it() {
    let sheet = "<worksheet><sheetData>\
        <row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c></row>\
        <row r='3'><c r='A3' t='inlineStr'><is><t>x &amp; y</t></is></c><c r='B3'><v>7</v></c><c r='C3' s='1'><v>46349</v></c><c r='D3' s='2'><v>5</v></c></row>\
        <row><c t='str'><f>A1&amp;B1</f><v>stored</v></c><c t='b'><v>1</v></c><c t='e'><v>#REF!</v></c><c/></row>\
        <row r='6'><c r='A6' t='s'><v>2</v></c><c r='B6'><v>1</v></c></row><row r='7'><c r='A7'><v>9</v></c></row>\
        </sheetData><mergeCells><mergeCell ref='A6:B7'/></mergeCells></worksheet>";
    let shared = "<si><t>问题</t><rPh><t>wenti</t></rPh></si><si><r><t>答</t></r><r><t>案</t></r></si><si><t xml:space='preserve'> a_x000A_b </t></si>";
    let bytes = workbook(sheet, shared);
    let expected = vec![
        row(1, &["问题", "答案"]),
        row(3, &["x & y", "7", "2026-11-23", "5.00元"]),
        row(4, &["stored", "TRUE", "#REF!"]),
        row(6, &["a\nb"]),
    ];
    assert_eq!(cells(&bytes, "faq.xlsx"), expected);
    // The content decides, not the name.
    let table = read(&bytes, "faq.csv", Some("秘密")).expect("a table");
    assert_eq!(table.form().to_string(), "sheet 秘密 (of 2)");
    assert_eq!(rows(&table), [(1, vec![(1, "two")])]);
    let sheets = vec!["秘密".to_owned(), "问答".to_owned()];
    let missing = Unreadable::NoSheet { wanted: "问".to_owned(), sheets };
    assert_eq!(read(&bytes, "faq.xlsx", Some("问")), Err(missing));
}

#[test]
fn an_open_document_is_read_as_its_sheet_shows_it() {
    let body = "<table:table table:name='一'><table:table-row><table:table-cell office:value-type='string'><text:p>问题</text:p></table:table-cell></table:table-row>\
        <table:table-row table:number-rows-repeated='2'><table:table-cell/></table:table-row>\
        <table:table-row><table:table-cell office:value-type='float' office:value='7'><text:p>7.00</text:p></table:table-cell>\
        <table:table-cell table:number-columns-repeated='2' office:value-type='string'><office:annotation><text:p>no</text:p></office:annotation><text:p>a<text:s/>b</text:p><text:p>c</text:p></table:table-cell>\
        <table:covered-table-cell><text:p>under</text:p></table:covered-table-cell>\
        <table:table-cell office:value-type='date' office:date-value='2026-11-23T09:30:00'><text:p>23.11.26</text:p></table:table-cell></table:table-row>\
        <table:table-row table:number-rows-repeated='1048000'><table:table-cell table:number-columns-repeated='16384'/></table:table-row></table:table>\
        <table:table table:name='二'><table:table-row><table:table-cell><text:p>two</text:p></table:table-cell></table:table-row></table:table>";
    let bytes = sheet_of(body);
    let expected =
        [row(1, &["问题"]), row(4, &["7.00", "a b\nc", "a b\nc", "", "2026-11-23 09:30"])];
    assert_eq!(cells(&bytes, "faq.ods"), expected);
    let two = read(&bytes, "faq.ods", Some("二")).expect("a table");
    assert_eq!(rows(&two), [(1, vec![(1, "two")])]);
}

#[test]
fn other_files_are_refused_with_their_reason() {
    use Unreadable as U;
    let password: Vec<u8> = [
        b"\xd0\xcf\x11\xe0".to_vec(),
        "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ]
    .concat();
    for (bytes, name, expected) in [
        (b"".to_vec(), "x.csv", U::Empty),
        (b"".to_vec(), "x.xlsx", U::Empty),
        (b"".to_vec(), "x.json", U::Empty),
        (b"a,b\n".to_vec(), "x.xlsx", U::NoWorkbook),
        (b"\x89PNG\r\n".to_vec(), "x.csv", U::Foreign("PNG")),
        (b"  <!DOCTYPE html><p>".to_vec(), "x.csv", U::Foreign("HTML")),
        (b"a,\xff\xff\n".to_vec(), "x.csv", U::Encoding { at: 2 }),
        (b"a\x00\x00b\x00".to_vec(), "x.csv", U::Binary),
        (b"\xd0\xcf\x11\xe0 old".to_vec(), "x.xls", U::OldExcel),
        (password, "x.xlsx", U::Password),
        (b"PK\x03\x04cut".to_vec(), "x.xlsx", U::NoWorkbook),
        (archive(&[("a.txt", b"x")]), "x.xlsx", U::NoWorkbook),
        (b"{\n\"a\": }".to_vec(), "x.json", U::Json { line: 2, column: 6 }),
        (b"{\"a\": {\"b\": 1}}".to_vec(), "x.json", U::JsonShape),
        (b"7".to_vec(), "x.json", U::JsonShape),
        (
            b"[{\"q\": 1},\n{\"q\": 2,\n\"a\": 3, \"\\u0061\": 4}]".to_vec(),
            "x.json",
            U::RepeatedKey { key: "a".to_owned(), line: 3 },
        ),
        (
            format!("\"{}", "长".repeat(40_000)).into_bytes(),
            "x.csv",
            U::Quote { row: 1, column: 1 },
        ),
        ("长".repeat(40_000).into_bytes(), "x.csv", U::LongCell { row: 1, column: 1 }),
        ("a,b\n".repeat(MOST_ROWS + 1).into_bytes(), "x.csv", U::Rows),
        (format!("{}a\n", "a,".repeat(1024)).into_bytes(), "x.csv", U::Columns { row: 1 }),
    ] {
        assert_eq!(why(&bytes, name), expected, "{name}: {:?}", &bytes[..bytes.len().min(30)]);
    }
}

#[test]
fn a_quotation_mark_that_is_not_closed_is_an_error_with_its_place() {
    for (text, row, column) in [
        ("question,answer\nhello,hi\nscreen,\"5 inch screen\nprice,ten\nfoo,bar\n", 3, 2),
        ("a,\"b\r\n\"\"c\r\nd,e\r\n", 1, 2),
        ("q,a\n\n\"x\ny\",1\nscreen,\"5 inch\nprice,\"ten\"\n", 4, 2),
        ("q;a\nscreen;\"", 2, 2),
    ] {
        assert_eq!(why(text.as_bytes(), "x.csv"), Unreadable::Quote { row, column }, "{text}");
    }
    // Within one line marks need not fit together, and behind a mark there may be white space.
    let text = "5\" screen,\"5\" screen\n\"a\nb\" ,\"c\"\n";
    let expected = [row(1, &["5\" screen", "5 screen"]), row(2, &["a\nb", "c"])];
    assert_eq!(cells(text.as_bytes(), "x.csv"), expected);
}

#[test]
fn a_zero_byte_does_not_make_another_encoding() {
    for bytes in [
        "question,answer\nhel\0lo,hi\nprice,ten\n".as_bytes().to_vec(),
        "问题,答案\n你\0好,你好\n".as_bytes().to_vec(),
        "a,\0b\n".as_bytes().to_vec(),
        encoding_rs::GB18030.encode("问题,答案\n你\0好,你好\n退\0货,7\n").0.into_owned(),
    ] {
        assert_eq!(why(&bytes, "x.csv"), Unreadable::Binary);
    }
    // One row with few signs, and characters whose bytes look like signs.
    let long = format!("上海,{}\n", "七天之内可以无理由退货，请在网上填写申请单".repeat(12));
    let bytes: Vec<u8> = long.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(cells(&bytes, "x.csv")[0].1.len(), 2);
}

#[test]
fn a_damaged_character_is_an_error_with_its_line() {
    let text = "问题,答案\n怎么退货,七天内\n发票,可以开\n";
    let cut = |bytes: &[u8], at: usize| [&bytes[..at], &bytes[at + 1..]].concat();
    let utf8 = Unreadable::Character { encoding: Encoding::Utf8, line: 2 };
    let at = text.find("退货").expect("it is there") + 1;
    assert_eq!(why(&cut(text.as_bytes(), at), "x.csv"), utf8);
    let marked = [b"\xef\xbb\xbf", &*cut(text.as_bytes(), at)].concat();
    assert_eq!(why(&marked, "x.csv"), utf8);
    let end = Unreadable::Character { encoding: Encoding::Utf8, line: 3 };
    assert_eq!(why(&text.as_bytes()[..text.len() - 2], "x.csv"), end);
    let gb = encoding_rs::GB18030.encode(text).0;
    let end = Unreadable::Character { encoding: Encoding::Gb18030, line: 3 };
    assert_eq!(why(&gb[..gb.len() - 2], "x.csv"), end);
    // Short texts of GB18030 stay what they are.
    for short in ["小米,1\n", "联通,是\n", "你好,在\n", "小,天\n"] {
        let gb = encoding_rs::GB18030.encode(short).0;
        if std::str::from_utf8(&gb).is_err() {
            let (question, answer) = short.trim_end().split_once(',').expect("two cells");
            assert_eq!(cells(&gb, "x.csv"), [row(1, &[question, answer])]);
        }
    }
}

#[test]
fn big5_and_gb18030_are_told_apart() {
    let simplified = "问题,答案\n营业时间,每天早上九点到晚上九点\n发票,可以开，请留下抬头\n";
    let traditional = "問題,答案\n營業時間,每天早上九點到晚上九點\n發票,可以開，請留下抬頭\n";
    for (encoding, texts) in [
        (encoding_rs::BIG5, &[traditional, "退貨,七天內\n", "你好,您好\n", "一,不是\n"][..]),
        (encoding_rs::GB18030, &[simplified, traditional, "你好,在\n", "小,天\n", "喆,镕\n"]),
    ] {
        for text in texts {
            let bytes = encoding.encode(text).0;
            let expected: Vec<_> = (1..)
                .zip(text.lines())
                .map(|(number, line)| row(number, &line.split(',').collect::<Vec<_>>()))
                .collect();
            assert_eq!(cells(&bytes, "x.csv"), expected, "{text} in {}", encoding.name());
        }
    }
    let big5 = encoding_rs::BIG5.encode(traditional).0;
    let table = read(&big5, "x.csv", None).expect("a table");
    assert_eq!(table.form().to_string(), "text in Big5, cells separated by ,");
    let end = Unreadable::Character { encoding: Encoding::Big5, line: 3 };
    assert_eq!(why(&big5[..big5.len() - 2], "x.csv"), end);
}

#[test]
fn numbers_in_json_stay_as_they_are_written() {
    let text =
        r#"{"price": 9.90, "id": 12345678901234567890123, "e": 1E+3, "t": true, "l": [1.0, -0]}"#;
    let shown =
        [["price", "9.90"], ["id", "12345678901234567890123"], ["e", "1E+3"], ["t", "true"]];
    let mut expected: Vec<_> =
        (1..).zip(&shown).map(|(number, cells)| row(number, cells)).collect();
    expected.extend([row(5, &["l", "1.0"]), row(5, &["l", "-0"])]);
    assert_eq!(cells(text.as_bytes(), "x.json"), expected);
    let objects = r#"[{"q\u0041": "a\n\"b\"", "p": 9.90}, {"p": 1, "x": {}}]"#;
    assert_eq!(why(objects.as_bytes(), "x.json"), Unreadable::JsonShape);
    let objects = objects.replace("{}", "[]");
    let expected = [row(0, &["qA", "p", "x"]), row(1, &["a\n\"b\"", "9.90"]), row(2, &["", "1"])];
    assert_eq!(cells(objects.as_bytes(), "x.json"), expected);
    let half = "{\n\"a\": \"\\ud800\"}";
    assert_eq!(why(half.as_bytes(), "x.json"), Unreadable::Json { line: 2, column: 13 });
}

#[test]
fn a_workbook_with_damaged_bytes_is_called_damaged() {
    let mut bytes = workbook("<worksheet><sheetData/></worksheet>", "");
    let name = b"xl/worksheets/sheet1.xml";
    let header = memchr::memmem::find(&bytes, name).expect("its local header");
    bytes[header + name.len()..][..4].fill(0xff);
    assert_eq!(why(&bytes, "x.xlsx"), Unreadable::NoWorkbook);
}

#[test]
fn workbooks_that_unpack_to_too_much_are_refused() {
    let big = |fill: &str| format!("<worksheet><sheetData>{}", fill.repeat((7 << 20) / fill.len()));
    let empty_rows = workbook(&big("<row/>"), "");
    assert!(empty_rows.len() < 1 << 20, "{}", empty_rows.len());
    assert_eq!(why(&empty_rows, "x.xlsx"), Unreadable::Inflated);
    let far = "<worksheet><sheetData><row r='1700000'/></sheetData></worksheet>";
    assert_eq!(why(&workbook(far, ""), "x.xlsx"), Unreadable::Rows);
    assert_eq!(why(&workbook(&big("<c></c> "), ""), "x.xlsx"), Unreadable::Inflated);
    // The reader keeps the name of each open element.
    let deep = Unreadable::Xml { part: "xl/worksheets/sheet1.xml".to_owned() };
    assert_eq!(why(&workbook(&big("<c>"), ""), "x.xlsx"), deep);
    // One tag, one text, one comment that would have to be kept in memory.
    for piece in ["<c a='", "<c>", "<!-- <c> "] {
        let sheet = format!(
            "<worksheet>{piece}{}",
            "x <".repeat(1 << 17).replace('<', if piece.starts_with("<!") { "<" } else { "x" })
        );
        assert_eq!(why(&workbook(&sheet, ""), "x.xlsx"), Unreadable::Inflated, "{piece}");
    }
    let repeated = sheet_of(
        "<table:table table:name='A'><table:table-row table:number-rows-repeated='999999999'><table:table-cell table:number-columns-repeated='1000'><text:p>x</text:p></table:table-cell></table:table-row></table:table>",
    );
    assert_eq!(why(&repeated, "x.ods"), Unreadable::Text);
    let wide = sheet_of(
        "<table:table table:name='A'><table:table-row><table:table-cell table:number-columns-repeated='4000000000'><text:p>x</text:p></table:table-cell></table:table-row></table:table>",
    );
    assert_eq!(why(&wide, "x.ods"), Unreadable::Columns { row: 1 });
}

#[test]
fn texts_longer_than_any_cell_are_not_kept() {
    let long = "长".repeat(20_000);
    let cell = |repeats: u32, parts: usize| {
        let parts = format!("<text:span>{long}</text:span>").repeat(parts);
        sheet_of(&format!(
            "<table:table table:name='A'><table:table-row><table:table-cell table:number-columns-repeated='{repeats}'><text:p>{parts}</text:p></table:table-cell></table:table-row></table:table>"
        ))
    };
    assert_eq!(why(&cell(1000, 40), "x.ods"), Unreadable::LongCell { row: 1, column: 1 });
    assert_eq!(why(&cell(1000, 2), "x.ods"), Unreadable::LongCell { row: 1, column: 1 });
    assert_eq!(why(&cell(1000, 1), "x.ods"), Unreadable::Text);
    assert_eq!(cells(&cell(3, 1), "x.ods"), [row(1, &[&long, &long, &long])]);
    let parts = |parts: usize| format!("<r><t>{long}</t></r>").repeat(parts);
    let shared = |string: &str| {
        workbook(
            "<worksheet><sheetData><row><c/><c t='s'><v>0</v></c></row></sheetData></worksheet>",
            string,
        )
    };
    assert_eq!(cells(&shared(&format!("<si>{}</si>", parts(1))), "x.xlsx"), [row(1, &["", &long])]);
    let inline = format!(
        "<worksheet><sheetData><row><c/><c t='inlineStr'><is>{}</is></c></row></sheetData></worksheet>",
        parts(60)
    );
    let value = format!(
        "<worksheet><sheetData><row><c/><c t='str'><v>{}</v></c></row></sheetData></worksheet>",
        format!("{long}<x/>").repeat(60)
    );
    for bytes in
        [shared(&format!("<si>{}</si>", parts(60))), workbook(&inline, ""), workbook(&value, "")]
    {
        assert_eq!(why(&bytes, "x.xlsx"), Unreadable::LongCell { row: 1, column: 2 });
    }
    // Neither are names of sheets, however many there are.
    let sheets = format!("<workbook><sheets>{}", "<sheet name='x'/>".repeat(200_000));
    let many = archive(&[("xl/workbook.xml", sheets.as_bytes())]);
    assert_eq!(why(&many, "x.xlsx"), Unreadable::NoWorkbook);
}

#[test]
fn rows_with_very_many_cells_take_no_memory() {
    // Far more cells than a list of them could hold within the bounds.
    for (name, text) in [
        ("x.csv", format!("a{}b", ",".repeat(8 << 20))),
        ("x.json", format!("[[\"a\"{}, \"b\"]]", ",\"\"".repeat(2 << 20))),
    ] {
        assert_eq!(why(text.as_bytes(), name), Unreadable::Columns { row: 1 });
    }
    let lists = format!("[{}[\"a\"]]", "[],".repeat(1 << 20));
    assert_eq!(cells(lists.as_bytes(), "x.json"), [row((1 << 20) + 1, &["a"])]);
}

#[test]
fn parts_are_found_whatever_the_case_of_their_names() {
    let sheet = "<worksheet><sheetData><row><c t='s'><v>0</v></c></row></sheetData></worksheet>";
    let all: [(&str, &[u8]); 5] = [
        ("XL/workbook.xml", BOOK),
        ("xl/_rels/Workbook.xml.rels", RELATIONS),
        ("xl/SharedStrings.xml", b"<sst><si><t>x</t></si></sst>"),
        ("xl/Styles.xml", STYLES),
        ("xl/Worksheets/Sheet1.xml", sheet.as_bytes()),
    ];
    assert_eq!(cells(&archive(&all), "x.xlsx"), [row(1, &["x"])]);
    for (left_out, part) in
        [(2, "xl/sharedStrings.xml"), (3, "xl/styles.xml"), (4, "xl/worksheets/sheet1.xml")]
    {
        let rest: Vec<_> = (0..5).filter(|at| *at != left_out).map(|at| all[at]).collect();
        let missing = Unreadable::MissingPart { part: part.to_owned() };
        assert_eq!(why(&archive(&rest), "x.xlsx"), missing);
    }
    let no_text = workbook(&sheet.replace('0', "7"), "<si><t>x</t></si>");
    assert_eq!(why(&no_text, "x.xlsx"), Unreadable::NoWorkbook);
}

/// The work must not grow with the product of two numbers that a file chooses: then this takes minutes.
#[test]
fn many_formats_and_merged_regions_are_read_at_once() {
    let begin = std::time::Instant::now();
    let ids = 200..30_200;
    let formats: String =
        ids.clone().map(|id| format!("<numFmt numFmtId='{id}' formatCode='0.0'/>")).collect();
    let styles: String = ids.rev().map(|id| format!("<xf numFmtId='{id}'/>")).collect();
    let styles = format!("<styleSheet>{formats}<cellXfs>{styles}</cellXfs></styleSheet>");
    let rows = "<row><c><v>1</v></c><c s='9'><v>2</v></c></row>".repeat(40_000);
    let merged: String =
        (0..10_000).map(|n| format!("<mergeCell ref='B{}:C40000'/>", n + 2)).collect();
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData>{merged}</worksheet>");
    let bytes = archive(&[
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/styles.xml", styles.as_bytes()),
        ("xl/sharedStrings.xml", b"<sst/>"),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ]);
    let cells = cells(&bytes, "x.xlsx");
    assert_eq!(cells[..3], [row(1, &["1.0", "2.0"]), row(2, &["1.0", "2.0"]), row(3, &["1.0"])]);
    assert_eq!(cells.len(), 40_000);
    assert!(begin.elapsed().as_secs() < 30, "{:?}", begin.elapsed());
}

#[test]
fn entities_are_the_signs_that_they_name() {
    let cell = "&lt;&gt;&amp;&quot;&apos;&#20320;&#x597d;&unknown;";
    let sheet = format!(
        "<worksheet><sheetData><row><c t='str'><v>{cell}</v></c></row></sheetData></worksheet>"
    );
    assert_eq!(cells(&workbook(&sheet, ""), "x.xlsx"), [row(1, &["<>&\"'你好&unknown;"])]);
}

#[test]
fn formulas_without_a_value_are_noted() {
    let lacking = |table: &Table| -> Vec<(u32, u32)> {
        let of_row = |row: Row<'_>| {
            let columns = (1..5).filter(move |column| row.lacks_value(*column));
            columns.map(|column| (row.number(), column)).collect::<Vec<_>>()
        };
        table.rows().flat_map(of_row).collect()
    };
    let sheet = "<worksheet><sheetData><row><c t='str'><v>q</v></c><c><f>A1</f><v></v></c></row>\
        <row><c><f>A1</f></c><c t='str'><f>A1</f><v></v></c><c><f>1</f><v>1</v></c></row><row><c><f>A1</f></c><c><f>A1</f></c></row>\
        </sheetData><mergeCells><mergeCell ref='A3:B3'/></mergeCells></worksheet>";
    let table = read(&workbook(sheet, ""), "x.xlsx", None).expect("a table");
    assert_eq!(lacking(&table), [(1, 2), (2, 1), (3, 1)]);
    assert_eq!(rows(&table), [(1, vec![(1, "q")]), (2, vec![(3, "1")]), (3, vec![])]);
    let body = "<table:table table:name='A'><table:table-row><table:table-cell table:formula='of:=1'/>\
        <table:table-cell table:formula='of:=1' office:value-type='float'><text:p>1</text:p></table:table-cell></table:table-row></table:table>";
    let table = read(&sheet_of(body), "x.ods", None).expect("a table");
    assert_eq!((lacking(&table), rows(&table)), (vec![(1, 1)], vec![(1, vec![(2, "1")])]));
}

#[test]
fn hidden_sheets_of_an_open_document_are_not_the_default() {
    let style = |name: &str, display: bool| {
        format!(
            "<style:style style:name='{name}' style:family='table'><style:table-properties table:display='{display}'/></style:style>"
        )
    };
    let sheet = |name: &str, style: &str| {
        format!(
            "<table:table table:name='{name}' table:style-name='{style}'><table:table-row><table:table-cell><text:p>{name}</text:p></table:table-cell></table:table-row></table:table>"
        )
    };
    let body = [style("a", false), style("b", true), sheet("one", "a"), sheet("two", "b")].concat();
    let bytes = sheet_of(&body);
    assert_eq!(cells(&bytes, "x.ods"), [row(1, &["two"])]);
    let one = read(&bytes, "x.ods", Some("one")).expect("a table");
    assert_eq!(rows(&one), [(1, vec![(1, "one")])]);
}

#[test]
fn readings_comments_and_drawings_do_not_belong_to_a_cell() {
    let body = "<table:table table:name='A'><table:table-row><table:table-cell>\
        <office:annotation><text:p>comment</text:p></office:annotation>\
        <draw:frame><draw:text-box><text:p>box</text:p></draw:text-box></draw:frame>\
        <draw:custom-shape><text:p>shape</text:p></draw:custom-shape>\
        <text:p><text:ruby><text:ruby-base>漢</text:ruby-base><text:ruby-text>かん</text:ruby-text></text:ruby>字<draw:frame><draw:text-box><text:p>box</text:p></draw:text-box></draw:frame>帳</text:p>\
        </table:table-cell></table:table-row></table:table>";
    assert_eq!(cells(&sheet_of(body), "x.ods"), [row(1, &["漢字帳"])]);
}

#[test]
fn entities_are_not_defined_by_a_workbook() {
    let sheet = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><worksheet><sheetData><row><c t='str'><v>&b;</v></c></row></sheetData></worksheet>";
    let part = "xl/worksheets/sheet1.xml".to_owned();
    assert_eq!(why(&workbook(sheet, ""), "x.xlsx"), Unreadable::DocumentType { part });
    let encrypted =
        archive(&[("content.xml", b"x"), ("META-INF/manifest.xml", b"<m:encryption-data/>")]);
    assert_eq!(why(&encrypted, "x.ods"), Unreadable::Password);
}

/// Cells that every format can hold: without white space around them, and without line breaks of their own.
fn grid() -> impl Strategy<Value = Vec<Vec<String>>> {
    let cell =
        "([a-z0-9问答退货,;|\"&<'{\\[]{0,6}( [a-z])?)".prop_map(|text| text.trim().to_owned());
    prop::collection::vec(prop::collection::vec(cell, 1..4), 1..6)
}

fn expected(grid: &[Vec<String>]) -> Vec<(u32, Vec<(u32, String)>)> {
    let rows = (1..)
        .zip(grid)
        .map(|(number, cells)| row(number, &cells.iter().map(String::as_str).collect::<Vec<_>>()));
    rows.filter(|(_, cells)| !cells.is_empty()).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&apos;")
}

/// Whether a region hides a cell.
fn hides(region: &builder::Region, row: u32, column: u32) -> bool {
    let builder::Region { top, left, bottom, right } = *region;
    (top..=bottom).contains(&row)
        && (left..=right).contains(&column)
        && (row, column) != (top, left)
}

proptest! {
    #[test]
    fn merged_regions_hide_all_their_cells_but_one(
        numbers in prop::collection::vec((1..6_u32, 1..5_u32, 0..6_u32, 0..5_u32), 1..6),
    ) {
        let regions = numbers.into_iter().map(|(top, left, rows, columns)| {
            builder::Region { top, left, bottom: top + rows, right: left + columns }
        });
        let regions: Vec<_> = regions.collect();
        let mut builder = builder::Builder::default();
        let places: Vec<_> = (1..8).flat_map(|row| (1..7).map(move |column| (row, column))).collect();
        for (row, column) in &places {
            builder.cell(*row, *column, "x").expect("it fits");
        }
        builder.leave_out_covered(regions.clone());
        let table = builder.finish(Form::Json);
        let shown = table.rows().flat_map(|row| row.cells().map(move |(column, _)| (row.number(), column)));
        let is_shown = |(row, column): &(u32, u32)| !regions.iter().any(|region| hides(region, *row, *column));
        prop_assert_eq!(shown.collect::<Vec<_>>(), places.into_iter().filter(is_shown).collect::<Vec<_>>());
    }

    #[test]
    fn separated_cells_are_read_as_written(grid in grid(), separator in prop::sample::select(vec![',', ';', '\t'])) {
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        let lines = grid.iter().map(|cells| cells.iter().map(quoted).collect::<Vec<_>>().join(&separator.to_string()));
        let text = format!("sep={separator}\n{}\n", lines.collect::<Vec<_>>().join("\n"));
        let expected: Vec<_> = expected(&grid).into_iter().map(|(number, cells)| (number + 1, cells)).collect();
        prop_assert_eq!(cells(text.as_bytes(), "x.csv"), expected.clone());
        let gb = encoding_rs::GB18030.encode(&text).0;
        prop_assert_eq!(cells(&gb, "x.csv"), expected);
    }

    #[test]
    fn json_cells_are_read_as_written(grid in grid()) {
        let text = serde_json::to_string(&grid).expect("texts are JSON");
        prop_assert_eq!(cells(text.as_bytes(), "x.json"), expected(&grid));
    }

    #[test]
    fn cells_of_a_workbook_are_read_as_written(grid in grid()) {
        let mut shared = String::new();
        let mut number = 0;
        let rows = grid.iter().map(|cells| {
            let cells = cells.iter().map(|cell| {
                shared.push_str(&format!("<si><t>{}</t></si>", escaped(cell)));
                number += 1;
                format!("<c t='s'><v>{}</v></c>", number - 1)
            });
            format!("<row>{}</row>", cells.collect::<String>())
        });
        let sheet = format!("<worksheet><sheetData>{}</sheetData></worksheet>", rows.collect::<String>());
        prop_assert_eq!(cells(&workbook(&sheet, &shared), "x.xlsx"), expected(&grid));
    }

    #[test]
    fn cells_of_an_open_document_are_read_as_written(grid in grid()) {
        let rows = grid.iter().map(|cells| {
            let cells = cells.iter().map(|cell| format!("<table:table-cell office:value-type='string'><text:p>{}</text:p></table:table-cell>", escaped(cell)));
            format!("<table:table-row>{}</table:table-row>", cells.collect::<String>())
        });
        let body = format!("<table:table table:name='A'>{}</table:table>", rows.collect::<String>());
        prop_assert_eq!(cells(&sheet_of(&body), "x.ods"), expected(&grid));
    }

    #[test]
    fn any_code_shows_any_number(
        code in "[0#?,.%;E+yhmsa\"\\\\_*@/元\\[\\]>=$ -]{0,12}|General",
        value in prop_oneof![any::<f64>(), -1e6..1e6, Just(0.0), Just(0.5)],
    ) {
        let shown = number::NumberFormat::of(&code).show(&value.to_string(), false);
        prop_assert!(shown.len() < 1_000, "{shown}");
    }

    #[test]
    fn any_bytes_are_a_table_or_have_a_reason(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        name in prop::sample::select(vec!["x.csv", "x.tsv", "x.json", "x.xlsx", "x.ods"]),
    ) {
        let _ = read(&bytes, name, None);
    }

    #[test]
    fn a_damaged_workbook_is_a_table_or_has_a_reason(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let sheet = "<worksheet><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' s='1'><v>46349</v></c></row></sheetData></worksheet>";
        let mut bytes = workbook(sheet, "<si><t>x</t></si>");
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        let _ = read(&bytes, "x.xlsx", None);
    }
}
