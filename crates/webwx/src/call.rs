//! The calls of the protocol: host, path, time-out and size limit of each.

use std::fmt;
use std::time::Duration;

use crate::hosts::Role;

/// A call to the service. Errors and logs contain its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each is named by its path in the table below and documented at its endpoint"
)]
pub enum Call {
    Page,
    JsLogin,
    QrImage,
    Login,
    NewLoginPage,
    PushLogin,
    Init,
    StatusNotify,
    GetContact,
    BatchGetContact,
    SyncCheck,
    Sync,
    LogOut,
    StatReport,
    CheckUrl,
    SearchContact,
    SendFeedback,
    Preview,
    PublicLinkImage,
    SendMsg,
    SendImage,
    SendVideo,
    SendApp,
    SendEmoticon,
    Revoke,
    UploadMedia,
    CheckUpload,
    GetImage,
    GetVoice,
    GetVideo,
    GetMedia,
    GetIcon,
    GetHeadImage,
    OpLog,
    VerifyUser,
    CreateChatRoom,
    UpdateChatRoom,
}

/// The fixed properties of a call.
pub(crate) struct Facts {
    pub(crate) post: bool,
    pub(crate) role: Role,
    pub(crate) path: &'static str,
    pub(crate) timeout: Duration,
    /// The most bytes that are read from the answer.
    pub(crate) limit: u64,
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// For answers that only grant or refuse, or contain one new id.
const SHORT: u64 = 64 * KIB;
/// For pages of HTML, XML or script. The login poll may contain the avatar of the person.
const PAGE: u64 = MIB;
/// For lists: 50 groups of 500 members take 7 MiB. The answer, its repaired text and its objects are in memory at the
/// same time, and must take less than 64 MiB.
const LISTS: u64 = 12 * MIB;
/// For avatars and QR codes. The caller sets the limit for the media of messages.
const PICTURE: u64 = 8 * MIB;

impl Call {
    /// The path, which contains no secret.
    #[must_use]
    pub fn path(self) -> &'static str {
        self.facts().path
    }

    /// `GET` or `POST`.
    #[must_use]
    pub fn method(self) -> &'static str {
        if self.facts().post { "POST" } else { "GET" }
    }

    /// Whether the call changes nothing at the service, so that it can be repeated.
    pub(crate) fn only_reads(self) -> bool {
        match self {
            Self::Page
            | Self::JsLogin
            | Self::QrImage
            | Self::Login
            | Self::Init
            | Self::GetContact
            | Self::BatchGetContact
            | Self::SyncCheck
            | Self::Sync
            | Self::CheckUrl
            | Self::SearchContact
            | Self::Preview
            | Self::PublicLinkImage
            | Self::CheckUpload
            | Self::GetImage
            | Self::GetVoice
            | Self::GetVideo
            | Self::GetMedia
            | Self::GetIcon
            | Self::GetHeadImage => true,
            Self::NewLoginPage
            | Self::PushLogin
            | Self::StatusNotify
            | Self::LogOut
            | Self::StatReport
            | Self::SendFeedback
            | Self::SendMsg
            | Self::SendImage
            | Self::SendVideo
            | Self::SendApp
            | Self::SendEmoticon
            | Self::Revoke
            | Self::UploadMedia
            | Self::OpLog
            | Self::VerifyUser
            | Self::CreateChatRoom
            | Self::UpdateChatRoom => false,
        }
    }

    pub(crate) fn facts(self) -> Facts {
        let (post, role, path, seconds, limit) = self.row();
        Facts { post, role, path, timeout: Duration::from_secs(seconds), limit }
    }

    /// Method, role, path, time-out, limit. The time-outs are those of the genuine client (10 s to log in, 15 s for
    /// calls, 35 s for polls) where they suffice. Lists and media get more time.
    #[rustfmt::skip]
    fn row(self) -> (bool, Role, &'static str, u64, u64) {
        const GET: bool = false;
        const POST: bool = true;
        use Role::{File, Login, Push, Qr, Web};
        match self {
            Self::Page => (GET, Web, "/", 15, PAGE),
            Self::JsLogin => (GET, Login, "/jslogin", 10, PAGE),
            Self::QrImage => (GET, Qr, "/qrcode/…", 15, PICTURE),
            Self::Login => (GET, Login, "/cgi-bin/mmwebwx-bin/login", 35, PAGE),
            Self::NewLoginPage => (GET, Web, "/cgi-bin/mmwebwx-bin/webwxnewloginpage", 10, PAGE),
            Self::PushLogin => (GET, Web, "/cgi-bin/mmwebwx-bin/webwxpushloginurl", 15, PAGE),
            Self::Init => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxinit", 30, LISTS),
            Self::StatusNotify => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxstatusnotify", 15, SHORT),
            Self::GetContact => (GET, Web, "/cgi-bin/mmwebwx-bin/webwxgetcontact", 180, LISTS),
            Self::BatchGetContact => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxbatchgetcontact", 30, LISTS),
            Self::SyncCheck => (GET, Push, "/cgi-bin/mmwebwx-bin/synccheck", 35, SHORT),
            Self::Sync => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxsync", 30, LISTS),
            Self::LogOut => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxlogout", 15, SHORT),
            Self::StatReport => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxstatreport", 15, SHORT),
            Self::CheckUrl => (GET, Web, "/cgi-bin/mmwebwx-bin/webwxcheckurl", 15, SHORT),
            Self::SearchContact => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxsearchcontact", 15, PAGE),
            Self::SendFeedback => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxsendfeedback", 15, SHORT),
            Self::Preview => (GET, Web, "/cgi-bin/mmwebwx-bin/webwxpreview", 60, PICTURE),
            Self::PublicLinkImage => (GET, Web, "/cgi-bin/mmwebwx-bin/webwxgetpubliclinkimg", 60, PICTURE),
            Self::SendMsg => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxsendmsg", 15, SHORT),
            Self::SendImage => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxsendmsgimg", 15, SHORT),
            Self::SendVideo => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxsendvideomsg", 15, SHORT),
            Self::SendApp => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxsendappmsg", 15, SHORT),
            Self::SendEmoticon => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxsendemoticon", 15, SHORT),
            Self::Revoke => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxrevokemsg", 15, SHORT),
            Self::UploadMedia => (POST, File, "/cgi-bin/mmwebwx-bin/webwxuploadmedia", 60, SHORT),
            Self::CheckUpload => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxcheckupload", 15, SHORT),
            Self::GetImage => (GET, Web, "/cgi-bin/mmwebwx-bin/webwxgetmsgimg", 120, PICTURE),
            Self::GetVoice => (GET, Web, "/cgi-bin/mmwebwx-bin/webwxgetvoice", 120, PICTURE),
            Self::GetVideo => (GET, Web, "/cgi-bin/mmwebwx-bin/webwxgetvideo", 300, PICTURE),
            Self::GetMedia => (GET, File, "/cgi-bin/mmwebwx-bin/webwxgetmedia", 300, PICTURE),
            Self::GetIcon => (GET, Web, "/cgi-bin/mmwebwx-bin/webwxgeticon", 30, PICTURE),
            Self::GetHeadImage => (GET, Web, "/cgi-bin/mmwebwx-bin/webwxgetheadimg", 30, PICTURE),
            Self::OpLog => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxoplog", 15, SHORT),
            Self::VerifyUser => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxverifyuser", 15, SHORT),
            Self::CreateChatRoom => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxcreatechatroom", 15, PAGE),
            Self::UpdateChatRoom => (POST, Web, "/cgi-bin/mmwebwx-bin/webwxupdatechatroom", 15, SHORT),
        }
    }
}

/// The last part of the path: people know the call by this name.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QrImage => f.write_str("qrcode"),
            Self::Page => f.write_str("the page"),
            other => f.write_str(other.path().rsplit('/').next().unwrap_or_default()),
        }
    }
}
