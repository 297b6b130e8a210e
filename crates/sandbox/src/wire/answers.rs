//! The JSON answers, one struct per endpoint.

use serde::Serialize;

use super::{
    BaseResponse, SyncKey,
    contact::{Contact, Member, ModContact},
    message::Delivered,
};

/// An answer that begins with a `BaseResponse`.
pub(crate) trait Envelope: Default + Serialize {
    fn base(&mut self) -> &mut BaseResponse;

    /// The answer to a failed call: all fields, with zeros and empty strings.
    fn failed(ret: i32) -> Self {
        let mut answer = Self::default();
        answer.base().ret = ret;
        answer
    }
}

/// Declares answers that begin with a `BaseResponse`.
macro_rules! answers {
    ($($(#[$about:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$about])*
        #[derive(Debug, Default, Serialize)]
        #[serde(rename_all = "PascalCase")]
        pub(crate) struct $name {
            pub(crate) base_response: BaseResponse,
            $($(#[$attribute])* pub(crate) $field: $type,)*
        }

        impl Envelope for $name {
            fn base(&mut self) -> &mut BaseResponse {
                &mut self.base_response
            }
        }
    )*};
}

answers! {
    /// The answer of calls without further fields.
    Plain {}

    /// `webwxinit`, section 6.1.
    Init {
        count: usize,
        contact_list: Vec<Contact>,
        sync_key: SyncKey,
        user: User,
        chat_set: String,
        #[serde(rename = "SKey")]
        skey: String,
        client_version: u32,
        system_time: u64,
        gray_scale: i32,
        invite_start_count: i32,
        #[serde(rename = "MPSubscribeMsgCount")]
        subscribe_count: usize,
        #[serde(rename = "MPSubscribeMsgList")]
        subscribe_list: Vec<Subscribed>,
        click_report_interval: i32,
    }

    /// `webwxstatusnotify`, section 6.2.
    Notified {
        #[serde(rename = "MsgID")]
        msg_id: String,
    }

    /// `webwxgetcontact`, section 6.3.
    Contacts {
        member_count: usize,
        member_list: Vec<Contact>,
        seq: usize,
    }

    /// `webwxbatchgetcontact`, section 6.4.
    BatchContacts {
        count: usize,
        contact_list: Vec<Contact>,
    }

    /// `webwxsync`, section 6.6.
    Synced {
        add_msg_count: usize,
        add_msg_list: Vec<Delivered>,
        mod_contact_count: usize,
        mod_contact_list: Vec<ModContact>,
        del_contact_count: usize,
        del_contact_list: Vec<DelContact>,
        mod_chat_room_member_count: usize,
        mod_chat_room_member_list: Vec<Member>,
        profile: Profile,
        continue_flag: i32,
        sync_key: SyncKey,
        #[serde(rename = "SKey")]
        skey: String,
        sync_check_key: SyncKey,
    }

    /// The sending calls, section 7.
    SentAnswer {
        #[serde(rename = "MsgID")]
        msg_id: String,
        #[serde(rename = "LocalID")]
        local_id: String,
    }

    /// `webwxuploadmedia`, section 8.1.
    Uploaded {
        media_id: String,
        start_pos: usize,
        #[serde(rename = "CDNThumbImgHeight")]
        thumb_height: u32,
        #[serde(rename = "CDNThumbImgWidth")]
        thumb_width: u32,
        encry_file_name: String,
    }

    /// `webwxcheckupload`, section 8.2.
    Checked {
        media_id: String,
        #[serde(rename = "AESKey")]
        aes_key: String,
        signature: String,
        encry_file_name: String,
    }

    /// `webwxcreatechatroom`, section 10.
    Created {
        topic: String,
        #[serde(rename = "PYInitial")]
        initials: String,
        quan_pin: String,
        member_count: usize,
        member_list: Vec<Member>,
        chat_room_name: String,
        black_list: String,
    }

    /// `webwxupdatechatroom`, section 10.
    Updated {
        member_count: usize,
        member_list: Vec<Member>,
    }

    /// `webwxsearchcontact`, section 6.9.
    Found {
        count: usize,
        list: Vec<FoundContact>,
    }
}

/// The account itself, section 11.3.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct User {
    pub(crate) uin: u32,
    pub(crate) user_name: String,
    pub(crate) nick_name: String,
    pub(crate) head_img_url: String,
    pub(crate) remark_name: String,
    #[serde(rename = "PYInitial")]
    pub(crate) initials: String,
    #[serde(rename = "PYQuanPin")]
    pub(crate) pinyin: String,
    #[serde(rename = "RemarkPYInitial")]
    pub(crate) remark_initials: String,
    #[serde(rename = "RemarkPYQuanPin")]
    pub(crate) remark_pinyin: String,
    pub(crate) hide_input_bar_flag: i32,
    pub(crate) star_friend: i32,
    pub(crate) sex: i32,
    pub(crate) signature: String,
    pub(crate) app_account_flag: i32,
    pub(crate) verify_flag: i32,
    pub(crate) contact_flag: i32,
    pub(crate) web_wx_plugin_switch: i32,
    pub(crate) head_img_flag: i32,
    pub(crate) sns_flag: i32,
}

/// Articles of a followed account, section 6.1.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Subscribed {
    pub(crate) user_name: String,
    #[serde(rename = "MPArticleCount")]
    pub(crate) article_count: usize,
    #[serde(rename = "MPArticleList")]
    pub(crate) article_list: Vec<Article>,
    pub(crate) time: u64,
    pub(crate) nick_name: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Article {
    pub(crate) title: String,
    pub(crate) digest: String,
    pub(crate) cover: String,
    pub(crate) url: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DelContact {
    pub(crate) user_name: String,
    pub(crate) contact_flag: i32,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FoundContact {
    pub(crate) encry_user_name: String,
}

/// A text of the profile, in the wrapper object of the service.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Buff {
    pub(crate) buff: String,
}

/// Changes of the account's own profile, section 11.6.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Profile {
    /// 190 after a change, else 0.
    pub(crate) bit_flag: i32,
    pub(crate) user_name: Buff,
    pub(crate) nick_name: Buff,
    pub(crate) bind_uin: u32,
    pub(crate) bind_email: Buff,
    pub(crate) bind_mobile: Buff,
    pub(crate) status: i32,
    pub(crate) sex: i32,
    pub(crate) personal_card: i32,
    pub(crate) alias: String,
    pub(crate) head_img_update_flag: i32,
    pub(crate) head_img_url: String,
    pub(crate) signature: String,
}
