//! The XML bodies of section 12.7 of the protocol reference, before they are escaped into `Content`.

use super::text::{escape, escape_attribute};
use crate::world::{
    draw::md5_hex,
    message::Media,
    people::{Peer, Person},
};

pub(crate) fn image(media: &Media) -> String {
    let length = media.bytes.len();
    let md5 = md5_hex(&media.bytes);
    format!(
        "<?xml version=\"1.0\"?>\n<msg>\n<img length=\"{length}\" hdlength=\"0\" md5=\"{md5}\" cdnthumbwidth=\"120\" \
         cdnthumbheight=\"120\" />\n</msg>"
    )
}

pub(crate) fn voice(media: &Media, milliseconds: u32) -> String {
    let length = media.bytes.len();
    format!(
        "<msg><voicemsg endflag=\"1\" cancelflag=\"0\" forwardflag=\"0\" voiceformat=\"4\" \
         voicelength=\"{milliseconds}\" length=\"{length}\" clientmsgid=\"{}\" /></msg>",
        md5_hex(&media.bytes)
    )
}

pub(crate) fn video(media: &Media, seconds: u32) -> String {
    let length = media.bytes.len();
    format!(
        "<?xml version=\"1.0\"?>\n<msg>\n<videomsg length=\"{length}\" playlength=\"{seconds}\" md5=\"{}\" />\n</msg>",
        md5_hex(&media.bytes)
    )
}

pub(crate) fn sticker(media: &Media) -> String {
    let length = media.bytes.len();
    format!(
        "<msg><emoji fromusername=\"\" tousername=\"\" type=\"2\" idbuffer=\"media:0_0\" md5=\"{}\" len=\"{length}\" \
         productid=\"\" cdnurl=\"\" width=\"120\" height=\"120\" ></emoji></msg>",
        md5_hex(&media.bytes)
    )
}

/// An `appmsg` with the elements common to all kinds.
fn app(kind: i32, title: &str, description: &str, url: &str, more: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<msg>\n<appmsg appid=\"\" sdkver=\"0\">\n<title>{}</title>\n<des>{}</des>\n\
         <action></action>\n<type>{kind}</type>\n<showtype>0</showtype>\n<content></content>\n<url>{}</url>\n\
         <lowurl></lowurl>\n{more}<extinfo></extinfo>\n<sourceusername></sourceusername>\n\
         <sourcedisplayname></sourcedisplayname>\n</appmsg>\n<fromusername></fromusername>\n<scene>0</scene>\n\
         <appinfo>\n<version>1</version>\n<appname></appname>\n</appinfo>\n<commenturl></commenturl>\n</msg>",
        escape(title),
        escape(description),
        escape(url),
    )
}

pub(crate) fn file(media: &Media) -> String {
    let attached = format!(
        "<appattach>\n<totallen>{}</totallen>\n<attachid>{}</attachid>\n<fileext>{}</fileext>\n</appattach>\n",
        media.bytes.len(),
        media.id,
        escape(media.extension())
    );
    app(6, &media.name, "", "", &attached)
}

pub(crate) fn link(title: &str, description: &str, url: &str) -> String {
    app(5, title, description, url, "")
}

pub(crate) fn mini_program(title: &str) -> String {
    let info = "<weappinfo>\n<username>gh_0000000000@app</username>\n<appid>wx0000000000000000</appid>\n\
                <pagepath>pages/index.html</pagepath>\n</weappinfo>\n";
    app(33, title, "", "", info)
}

pub(crate) fn chat_history(title: &str) -> String {
    app(19, title, "", "", "<recorditem></recorditem>\n")
}

pub(crate) fn quote(text: &str, of: u64, by: &str, said: &str) -> String {
    let quoted = format!(
        "<refermsg>\n<type>1</type>\n<svrid>{of}</svrid>\n<fromusr></fromusr>\n<chatusr></chatusr>\n\
         <displayname>{}</displayname>\n<content>{}</content>\n</refermsg>\n",
        escape(by),
        escape(said)
    );
    app(57, text, "", "", &quoted)
}

pub(crate) fn transfer(amount: &str) -> String {
    let info = format!(
        "<wcpayinfo>\n<paysubtype>1</paysubtype>\n<feedesc><![CDATA[{amount}]]></feedesc>\n\
         <transcationid></transcationid>\n<transferid></transferid>\n<pay_memo><![CDATA[]]></pay_memo>\n</wcpayinfo>\n"
    );
    let words = format!("收到转账{amount}。如需收钱，请点此升级至最新版本");
    let xml = app(2000, "", "", "", &info);
    // The service writes title and description as CDATA here, and clients search for that.
    xml.replacen("<title></title>", "<title><![CDATA[微信转账]]></title>", 1).replacen(
        "<des></des>",
        &format!("<des><![CDATA[{}]]></des>", words.replace("]]>", "")),
        1,
    )
}

pub(crate) fn call() -> String {
    "<voipinvitemsg><roomid>1</roomid><key>1</key><status>1</status><invitetype>0</invitetype></voipinvitemsg>"
        .to_owned()
}

pub(crate) fn recall(of: u64, text: &str, chat: Peer) -> String {
    let text = text.replace("]]>", "]]]]><![CDATA[>");
    format!(
        "<sysmsg type=\"revokemsg\"><revokemsg><session>{}</session><oldmsgid>{}</oldmsgid><msgid>{of}</msgid>\
         <replacemsg><![CDATA[{text}]]></replacemsg></revokemsg></sysmsg>",
        chat.id(),
        of % 2_000_000_000
    )
}

pub(crate) fn card(person: &Person, user_name: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<msg bigheadimgurl=\"\" smallheadimgurl=\"\" username=\"{user_name}\" \
         nickname=\"{}\" shortpy=\"\" alias=\"{}\" imagestatus=\"3\" scene=\"17\" province=\"{}\" city=\"{}\" \
         sign=\"{}\" sex=\"{}\" certflag=\"0\" certinfo=\"\" brandIconUrl=\"\" brandHomeUrl=\"\" \
         brandSubscriptConfigUrl=\"\" brandFlags=\"0\" regionCode=\"CN\" />",
        escape_attribute(&person.name),
        escape_attribute(&person.alias),
        escape_attribute(&person.province),
        escape_attribute(&person.city),
        escape_attribute(&person.signature),
        person.sex,
    )
}

pub(crate) fn friend_request(person: &Person, user_name: &str, text: &str, ticket: &str) -> String {
    format!(
        "<msg fromusername=\"{0}\" encryptusername=\"{user_name}\" fromnickname=\"{1}\" content=\"{2}\" shortpy=\"\" \
         imagestatus=\"3\" scene=\"30\" country=\"CN\" province=\"{3}\" city=\"{4}\" sign=\"{5}\" percard=\"1\" \
         sex=\"{6}\" alias=\"{7}\" weibo=\"\" albumflag=\"0\" albumstyle=\"0\" albumbgimgid=\"\" snsflag=\"1\" \
         mhash=\"\" mfullhash=\"\" bigheadimgurl=\"\" smallheadimgurl=\"\" ticket=\"{ticket}\" opcode=\"2\" \
         googlecontact=\"\" qrticket=\"\" chatroomusername=\"\" sourceusername=\"\" sourcenickname=\"\" \
         sharecardusername=\"\" sharecardnickname=\"\" cardversion=\"\"><brandlist count=\"0\" ver=\"640000000\">\
         </brandlist></msg>",
        escape_attribute(&person.real_id),
        escape_attribute(&person.name),
        escape_attribute(text),
        escape_attribute(&person.province),
        escape_attribute(&person.city),
        escape_attribute(&person.signature),
        person.sex,
        escape_attribute(&person.alias),
    )
}

pub(crate) fn phone(code: i32, real_ids: &str) -> String {
    format!(
        "<msg>\n<op id='{code}'>\n<username>{real_ids}</username>\n<unreadchatlist></unreadchatlist>\n\
         <unreadfunctionlist></unreadfunctionlist>\n</op>\n</msg>"
    )
}

pub(crate) fn location(label: &str, latitude: f64, longitude: f64) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<msg>\n<location x=\"{latitude}\" y=\"{longitude}\" scale=\"16\" label=\"{0}\" \
         maptype=\"roadmap\" poiname=\"{0}\" />\n</msg>",
        escape_attribute(label)
    )
}

/// The answer of `webwxnewloginpage`, section 5.4; its ticket is already percent-encoded.
pub(crate) fn login(skey: &str, sid: &str, uin: u32, pass_ticket: &str) -> String {
    format!(
        "<error><ret>0</ret><message></message><skey>{skey}</skey><wxsid>{sid}</wxsid><wxuin>{uin}</wxuin>\
         <pass_ticket>{pass_ticket}</pass_ticket><isgrayscale>1</isgrayscale></error>"
    )
}

pub(crate) fn login_refused(ret: i32, message: &str) -> String {
    format!("<error><ret>{ret}</ret><message>{}</message></error>", escape(message))
}
