use proptest::prelude::*;

use super::*;

#[test]
fn the_sender_is_split_off_once() {
    for (content, sender, body) in [
        ("@ab12:<br/>hello", Some("@ab12"), "hello"),
        ("@ab12:<br/>@cd:<br/>x", Some("@ab12"), "@cd:<br/>x"),
        ("wxid_a-1:<br/>x", Some("wxid_a-1"), "x"),
        ("@ab12:<br/>", Some("@ab12"), ""),
        ("@ab12: <br/>hello", Some("@ab12"), "hello"),
        ("@ab12:<br /> hello", Some("@ab12"), " hello"),
        ("@a_b:<br/>x", None, "@a_b:<br/>x"),
        ("@ab12: hello", None, "@ab12: hello"),
        ("价格:<br/>x", None, "价格:<br/>x"),
        ("a b:<br/>x", None, "a b:<br/>x"),
        (":<br/>x", None, ":<br/>x"),
        ("@:<br/>x", None, "@:<br/>x"),
        ("", None, ""),
    ] {
        assert_eq!(split_sender(content), (sender, body));
    }
}

#[test]
fn text_is_converted_to_the_form_that_the_writer_saw() {
    for (wire, shown) in [
        ("a<br/>b", "a\nb"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt;", "&lt;"),
        ("&lt;br/&gt;", "<br/>"),
        ("&quot;&#39;&nbsp;|", "\"'\u{a0}|"),
        ("<span class=\"emoji emoji1f604\"></span>!", "\u{1f604}!"),
        ("<span class=\"emoji emoji1f1e81f1f3\"></span>", "\u{1f1e8}\u{1f1f3}"),
        ("<span class=\"emoji emoji2320e3\"></span>", "#\u{20e3}"),
        ("<span class=\"emoji emoji00a90023\"></span>", "\u{a9}#"),
        ("<span class=\"emoji emoji1f63c\"></span>", "\u{1f601}"),
        ("<span class=\"emoji emoji1f450\"></span", "\u{1f450}"),
        ("<span class=\"emoji emoji1f450", "\u{1f450}"),
        ("<span class=\"emoji emoji1f6041\"></span>", "*"),
        ("<span class=\"emoji emoji\"></span>x", "*x"),
        ("<span class=\"emoji emojid800\"></span>x", "*x"),
        ("&lt;span class=&quot;emoji emoji1f604&quot;&gt;", "<span class=\"emoji emoji1f604\">"),
        ("[微笑] @Bob\u{2005}hi", "[微笑] @Bob\u{2005}hi"),
        ("", ""),
    ] {
        assert_eq!(plain(wire), shown, "{wire}");
    }
}

#[test]
fn broken_emoji_spans_leave_a_readable_text() {
    for (wire, shown) in [
        ("a<span class=\"emoji emoji1f60g\"></span>b", "a*b"),
        ("a<span class=\"emoji emojismile\"></span>b", "a*b"),
        ("a<span class=\"emoji emoji110000\"></span>b", "a*b"),
        ("a<span class=\"emoji emoji0000\"></span>b", "a*b"),
        ("a<span class=\"emoji emoji000a\"></span>b", "a*b"),
        ("a<span class=\"emoji emoji003c\"></span>b", "a*b"),
        ("a<span class=\"emoji emoji0026\"></span>lt;b", "a*lt;b"),
        ("a<span class=\"emoji emoji1f604\">b", "a\u{1f604}b"),
        ("a<span class=\"emoji emoji1f604\">b</span>c", "a\u{1f604}bc"),
        (
            "<span class=\"emoji emoji1f604\"><span class=\"emoji emoji1f601\"></span></span>b",
            "\u{1f604}\u{1f601}b",
        ),
        (
            "<span class=\"emoji emoji<span class=\"emoji emoji1f604\"></span>\"></span>b",
            "*\u{1f604}b",
        ),
        ("a</span>b", "a</span>b"),
    ] {
        assert_eq!(plain(wire), shown, "{wire}");
    }
}

#[test]
fn names_are_one_line() {
    assert_eq!(
        name(" A<br/>B &amp; <span class=\"emoji emoji1f604\"></span>\t"),
        "A B & \u{1f604}"
    );
    assert_eq!(name("\u{7}x\ny"), "x y");
}

#[test]
fn xml_is_cut_out_of_its_message() {
    for (content, expected) in [
        ("&lt;msg&gt;<br/>&lt;a b=\"&amp;amp;\"/&gt;&lt;/msg&gt;", "<msg><a b=\"&amp;\"/></msg>"),
        ("noise &lt;msg/&gt;", "<msg/>"),
        ("none", ""),
    ] {
        assert_eq!(xml(content), expected);
    }
}

#[test]
fn links_are_taken_out() {
    for (text, expected) in [
        ("你邀请\"B\"加入了群聊  <a href=\"weixin://revoke\">撤销</a>", "你邀请\"B\"加入了群聊  "),
        ("see <a href=\"https://x\">here</a>.", "see here."),
        ("1 < 2 <b>", "1 < 2 <b>"),
        ("<a href=\"weixin://x\">open", "open"),
        ("<a unclosed", "<a unclosed"),
    ] {
        assert_eq!(without_links(text), expected);
    }
}

/// Escapes a text like the service does.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br/>")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_content_is_read_without_panic(content in "(<br/>|:|@|<span class=\"emoji emoji|[0-9a-f]{0,11}|\"></span>|&lt;|&#|<a |.){0,8}") {
        let (_, body) = split_sender(&content);
        prop_assert!(plain(body).len() <= body.len() * 4 + 4);
        prop_assert!(!name(&content).contains(char::is_control));
        prop_assert!(xml(&content).is_empty() || xml(&content).starts_with('<'));
        prop_assert!(without_links(&content).len() <= content.len());
    }

    #[test]
    fn any_span_leaves_the_text_around_it_readable(
        parts in prop::collection::vec(("[a-z你]{0,4}", "[0-9a-zA-Z_-]{0,12}", 0..3_usize), 0..6),
        whole in any::<bool>(),
    ) {
        let mut wire: String = parts
            .iter()
            .map(|(text, class, closed)| {
                let end = ["", "</span>", "</span>\u{1f600}"][*closed];
                format!("{text}<span class=\"emoji emoji{class}\">{end}")
            })
            .collect();
        if !whole {
            wire.push_str(&"</span>".repeat(parts.iter().filter(|part| part.2 == 0).count()));
        }
        let shown = plain(&wire);
        prop_assert!(!shown.contains(['<', '>', '"']) && !shown.contains(char::is_control), "{}", shown);
        let mut rest = shown.as_str();
        for (text, _, _) in &parts {
            let found = rest.split_once(text.as_str());
            prop_assert!(found.is_some(), "{} of {}", text, shown);
            rest = found.map_or("", |(_, after)| after);
        }
    }

    #[test]
    fn any_typed_text_survives_the_conversion(text in "[^\u{e000}-\u{f8ff}\r]{0,60}") {
        prop_assert_eq!(plain(&escaped(&text)), text);
    }

    #[test]
    fn a_prefix_never_eats_text(sender in "@[0-9a-f]{4,64}", text in "[^\u{e000}-\u{f8ff}\r]{0,40}") {
        let content = format!("{sender}:<br/>{}", escaped(&text));
        let (found, body) = split_sender(&content);
        prop_assert_eq!(found, Some(sender.as_str()));
        prop_assert_eq!(plain(body), text);
    }
}
