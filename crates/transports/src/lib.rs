//! Chat services behind Mynah's [`Transport`](mynah_core::Transport): one module each.

pub mod webwx;
