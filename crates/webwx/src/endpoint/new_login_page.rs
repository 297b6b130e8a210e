//! `GET {redirect_uri}` (section 5.4 of the protocol reference): turns the confirmed login into a session.

use crate::answer::Answer;
use crate::endpoint::login::Confirmed;
use crate::hosts::{Hosts, Role};
use crate::http::Request;
use crate::session::can_be_key;
use crate::wire::SyncKey;
use crate::wire::xml::Element;
use crate::{Call, CallError, Client};

/// The most redirects: more than the service ever makes.
const MOST_REDIRECTS: usize = 4;

/// The version that the desktop client sends.
const CLIENT_VERSION: &str = "2.0.0";

/// The fields of the answer.
#[derive(Default)]
struct Page {
    skey: String,
    sid: String,
    uin: u64,
    pass_ticket: String,
}

impl Page {
    /// Whether its values can be those of a session.
    fn is_session(&self) -> bool {
        self.uin != 0
            && !self.sid.is_empty()
            && [&self.sid, &self.skey, &self.pass_ticket].into_iter().all(|key| can_be_key(key))
    }
}

impl Client {
    /// Turns a confirmed login into a session. Its ticket is valid for one attempt.
    ///
    /// # Errors
    ///
    /// [`CallError`], with [`is_login_refused`](CallError::is_login_refused) and the text of the service if this
    /// account may not log in here.
    pub async fn log_in(&self, confirmed: &Confirmed) -> Result<(), CallError> {
        let (mut url, mut hosts) = self.followed(&self.hosts(), &confirmed.redirect)?;
        self.forget_login();
        for _ in 0..MOST_REDIRECTS {
            self.move_to(hosts.clone());
            let answer = self.send(self.new_login_request(url)).await?;
            match self.outcome(&answer)? {
                Outcome::In(page) => {
                    self.begin_session(page);
                    return Ok(());
                }
                Outcome::Redirect(target) => (url, hosts) = self.followed(&hosts, &target)?,
            }
        }
        Err(CallError::unreadable(Call::NewLoginPage, "the service redirects too many times", ""))
    }

    fn followed(&self, hosts: &Hosts, redirect: &str) -> Result<(String, Hosts), CallError> {
        hosts.follow(redirect).ok_or_else(|| {
            CallError::unreadable(
                Call::NewLoginPage,
                "the redirect leads to a host outside the service",
                redirect,
            )
        })
    }

    fn new_login_request(&self, url: String) -> Request {
        let given = url.clone();
        let missing = |name: &str| {
            !given.contains(&format!("?{name}=")) && !given.contains(&format!("&{name}="))
        };
        let mut request = self.request_to(Call::NewLoginPage, url);
        for (name, value) in
            [("fun", "new"), ("version", "v2"), ("lang", self.options.language.as_str())]
        {
            if missing(name) {
                request = request.query(name, value);
            }
        }
        let Some(token) = &self.options.desktop else { return request };
        if missing("mod") {
            request = request.query("mod", "desktop");
        }
        let referer =
            format!("{}/?&lang={}&target=t", self.hosts().base(Role::Web), self.options.language);
        request
            .header("client-version", CLIENT_VERSION)
            .header("extspam", token.as_str())
            .header("referer", &referer)
    }

    /// An answer with the XML is the result, with status 200 and 301 alike. A redirect without XML is followed.
    fn outcome(&self, answer: &Answer) -> Result<Outcome, CallError> {
        let text = answer.text();
        let xml = Element::parse(&text).filter(|root| root.find(&["ret"]).is_some());
        let Some(xml) = xml else {
            return match answer.location() {
                Some(target) => Ok(Outcome::Redirect(target.to_owned())),
                None if answer.status >= 300 => Err(answer.bad_status()),
                None => Err(answer.unreadable("the answer is not a login page")),
            };
        };
        match xml.text_at(&["ret"]).parse::<i64>() {
            Ok(0) => {}
            Ok(ret) => {
                return Err(CallError::refused(Call::NewLoginPage, ret, xml.text_at(&["message"])));
            }
            Err(_) => return Err(answer.unreadable("the login page has no code")),
        }
        let page = self.page(&xml);
        if page.is_session() {
            return Ok(Outcome::In(page));
        }
        match xml.text_at(&["redirecturl"]) {
            "" => Err(answer.unreadable("the login page contains no session")),
            target => Ok(Outcome::Redirect(target.to_owned())),
        }
    }

    /// The values of the page; the cookies supply missing ones.
    fn page(&self, xml: &Element) -> Page {
        let or_cookie = |text: &str, cookie: &str| {
            if text.is_empty() {
                self.look(|session| session.cookies.value(cookie).unwrap_or_default().to_owned())
            } else {
                text.to_owned()
            }
        };
        Page {
            skey: xml.text_at(&["skey"]).to_owned(),
            sid: or_cookie(xml.text_at(&["wxsid"]), "wxsid"),
            uin: or_cookie(xml.text_at(&["wxuin"]), "wxuin").parse().unwrap_or(0),
            pass_ticket: xml.text_at(&["pass_ticket"]).to_owned(),
        }
    }

    fn begin_session(&self, page: Page) {
        self.change(|session| {
            session.uin = page.uin;
            session.sid = page.sid;
            session.skey = page.skey;
            session.pass_ticket = page.pass_ticket;
            session.user_name.clear();
            session.sync_key = SyncKey::default();
            session.sync_check_key = SyncKey::default();
        });
    }
}

enum Outcome {
    In(Page),
    Redirect(String),
}
