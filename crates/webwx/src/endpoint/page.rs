//! `GET https://W/` (section 3 of the protocol reference): this page shows whether a login is still valid.

use crate::{Call, CallError, Client};

impl Client {
    /// Whether the service still accepts the cookies as a login. Needs no key of the session.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails or the page cannot be read.
    pub async fn is_logged_in(&self) -> Result<bool, CallError> {
        let answer = self.send(self.request(Call::Page)).await?.ok()?;
        says_logged_in(&answer.text())
            .ok_or_else(|| answer.unreadable("the page does not show whether the login is valid"))
    }
}

/// Reads `isLogin: !!"1"` from the script in the page.
fn says_logged_in(page: &str) -> Option<bool> {
    let (_, after) = page.split_once("isLogin")?;
    let value = after.trim_start().strip_prefix(':')?.trim_start().trim_start_matches('!');
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, _) = value[1..].split_once(quote)?;
    Some(value == "1")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_login_state_is_read_from_the_script_of_the_page() {
        for (page, expected) in [
            (r#"<script>window.MMCgi = { isLogin: !!"1" };</script>"#, Some(true)),
            (r#"window.MMCgi={isLogin:!!""}"#, Some(false)),
            ("isLogin : !!'1'", Some(true)),
            ("isLogin: !!\"1", None),
            ("isLogin", None),
            ("<html></html>", None),
        ] {
            assert_eq!(says_logged_in(page), expected, "{page}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_page_is_read_without_panic(page in "(isLogin|:|!|\"|'|1|.){0,8}") {
            says_logged_in(&page);
        }
    }
}
