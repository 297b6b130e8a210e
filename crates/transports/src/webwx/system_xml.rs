//! System XML: the lines that the service sends as a tree (section 12.7 of the protocol reference and public reports).

use mynah_webwx::text;
use mynah_webwx::wire::xml::Element;

/// The text of a body of system XML for people, read like any other line; `None` if it has none.
pub(crate) fn line(xml: &Element) -> Option<String> {
    let template = xml.find(&["sysmsgtemplate", "content_template"]);
    let filled = template.map(filled);
    let stated = || {
        let inner = xml.children.iter();
        let texts = inner.flat_map(|inner| [inner.text_at(&["text"]), inner.text_at(&["plain"])]);
        texts.map(str::to_owned).find(|text| !text.is_empty())
    };
    filled.filter(|line| !line.trim().is_empty()).or_else(stated)
}

/// The same of a message's content.
pub(crate) fn line_of(content: &str) -> Option<String> {
    Element::parse(&text::xml(content)).as_ref().and_then(line)
}

/// The line that results from a template of the service: `$name$` is replaced by names from its list of links.
fn filled(template: &Element) -> String {
    let mut line = template.text_at(&["template"]).to_owned();
    let links = template.find(&["link_list"]).map(|list| &*list.children).unwrap_or_default();
    for link in links.iter().take(20) {
        let members = link.find(&["memberlist"]).map(|list| &*list.children).unwrap_or_default();
        let names: Vec<String> =
            members.iter().map(|member| text::name(member.text_at(&["nickname"]))).collect();
        let separator =
            Some(link.text_at(&["separator"])).filter(|s| !s.is_empty()).unwrap_or("、");
        let plain = link.text_at(&["plain"]);
        let names = if names.is_empty() { plain.to_owned() } else { names.join(separator) };
        line = line.replacen(&format!("${}$", link.attribute("name")), &names, 1);
    }
    line
}

/// A pat as system XML. Its template has ids in place of names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pat<'x> {
    pub(crate) by: &'x str,
    pub(crate) whom: &'x str,
    template: &'x str,
}

impl<'x> Pat<'x> {
    /// Reads it from the body of a message; `None` if that is not a pat.
    pub(crate) fn read(xml: &'x Element) -> Option<Self> {
        let pat = xml.find(&["pat"])?;
        Some(Self {
            by: pat.text_at(&["fromusername"]),
            whom: pat.text_at(&["pattedusername"]),
            template: pat.text_at(&["template"]),
        })
    }

    /// The line with the name of each id.
    pub(crate) fn line(&self, name: impl Fn(&str) -> Option<String>) -> String {
        let mut line = String::new();
        let mut rest = self.template;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((id, after)) = after.split_once('}') else { break };
            line.push_str(before);
            line.push_str(&name(id).unwrap_or_else(|| "?".to_owned()));
            rest = after;
        }
        line.push_str(rest);
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Option<String> {
        line(&Element::parse(xml).unwrap())
    }

    #[test]
    fn the_text_of_system_xml_is_found_under_any_type() {
        let invited = "<sysmsg type=\"delchatroommember\"><delchatroommember><plain><![CDATA[你邀请\"甲\"加入了群聊  ]]></plain>\
            <text><![CDATA[你邀请\"甲\"加入了群聊  ]]></text><link><text>  撤销</text></link></delchatroommember></sysmsg>";
        assert_eq!(read(invited).unwrap(), "你邀请\"甲\"加入了群聊");
        let plain = "<sysmsg type=\"new\"><new><plain>一</plain><text></text></new></sysmsg>";
        assert_eq!(read(plain).unwrap(), "一");
        let only_plain = "<sysmsg type=\"sysmsgtemplate\"><sysmsgtemplate><content_template><plain>二</plain></content_template></sysmsgtemplate></sysmsg>";
        assert_eq!(read(only_plain), None, "a template without its text says nothing");
        assert_eq!(read("<sysmsg type=\"x\"><x><ticket>t</ticket></x></sysmsg>"), None);
    }

    #[test]
    fn names_stand_for_the_ids_of_a_pat() {
        let xml = Element::parse(
            "<sysmsg type=\"pat\"><pat><fromusername>a</fromusername><pattedusername>b</pattedusername>\
             <template><![CDATA[\"${a}\" 拍了拍 \"${b}\" 的头 ${]]></template></pat></sysmsg>",
        )
        .unwrap();
        let pat = Pat::read(&xml).unwrap();
        assert_eq!((pat.by, pat.whom), ("a", "b"));
        let name = |id: &str| (id == "a").then(|| "小明".to_owned());
        assert_eq!(pat.line(name), "\"小明\" 拍了拍 \"?\" 的头 ${");
    }
}
