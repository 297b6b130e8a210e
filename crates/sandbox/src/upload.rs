//! Uploads in progress: collects the chunks of each file (section 8.1 of the protocol reference).

use std::collections::HashMap;

use bytes::Bytes;

use crate::world::message::Media;

/// One file.
#[derive(Debug, Default)]
struct Upload {
    /// The bytes so far; none of a finished file.
    bytes: Vec<u8>,
    next: u64,
    finished: Option<Media>,
}

/// All files, in progress and finished, by sender, receiver and file.
#[derive(Debug, Default)]
pub(crate) struct Uploads(HashMap<String, Upload>);

/// One chunk of an upload.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) index: u64,
    pub(crate) count: u64,
    /// The announced size of the whole file.
    pub(crate) size: usize,
    pub(crate) md5: Option<String>,
    pub(crate) bytes: Bytes,
}

/// The result of adding a chunk.
#[derive(Debug)]
pub(crate) enum Progress {
    /// The upload has this many bytes so far.
    More(usize),
    Done(Media),
    /// The chunk is out of order, or the file differs from its announced size or digest.
    Wrong,
}

impl Uploads {
    /// Adds a chunk. The first chunk starts over, and the previous chunk may come again after a lost answer.
    pub(crate) fn take(&mut self, chunk: &Chunk) -> Progress {
        if chunk.index == 0 {
            self.0.insert(chunk.key.clone(), Upload::default());
        }
        let Some(upload) = self.0.get_mut(&chunk.key) else { return Progress::Wrong };
        if chunk.index.checked_add(1) == Some(upload.next) {
            return upload.progress();
        }
        if chunk.index != upload.next {
            return Progress::Wrong;
        }
        upload.next += 1;
        upload.bytes.extend_from_slice(&chunk.bytes);
        if upload.next < chunk.count {
            return upload.progress();
        }
        upload.finished = chunk.media(std::mem::take(&mut upload.bytes).into());
        if upload.finished.is_some() {
            return upload.progress();
        }
        self.0.remove(&chunk.key);
        Progress::Wrong
    }
}

impl Upload {
    fn progress(&self) -> Progress {
        self.finished.clone().map_or(Progress::More(self.bytes.len()), Progress::Done)
    }
}

impl Chunk {
    /// The whole file, unless it differs from its announcement.
    fn media(&self, file: Bytes) -> Option<Media> {
        let md5 = crate::world::draw::md5_hex(&file);
        let right = file.len() == self.size
            && self.md5.as_ref().is_none_or(|given| given.eq_ignore_ascii_case(&md5));
        (right && !file.is_empty()).then(|| Media::new(&self.name, file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(index: u64, count: u64, bytes: &'static [u8]) -> Chunk {
        let (key, name) = ("k".to_owned(), "a.txt".to_owned());
        Chunk { key, name, index, count, size: 6, md5: None, bytes: Bytes::from_static(bytes) }
    }

    #[test]
    fn chunks_make_a_file_in_order_only() {
        let mut uploads = Uploads::default();
        assert!(matches!(uploads.take(&chunk(1, 2, b"def")), Progress::Wrong));
        assert!(matches!(uploads.take(&chunk(0, 3, b"ab")), Progress::More(2)));
        assert!(matches!(uploads.take(&chunk(1, 3, b"cd")), Progress::More(4)));
        assert!(
            matches!(uploads.take(&chunk(1, 3, b"cd")), Progress::More(4)),
            "repeated after a lost answer"
        );
        let Progress::Done(media) = uploads.take(&chunk(2, 3, b"ef")) else {
            panic!("the last chunk")
        };
        assert_eq!(media.bytes, &b"abcdef"[..]);
        let Progress::Done(again) = uploads.take(&chunk(2, 3, b"ef")) else {
            panic!("the last chunk repeated after a lost answer")
        };
        assert_eq!(again.id, media.id);
    }

    #[test]
    fn size_and_digest_are_checked() {
        let mut uploads = Uploads::default();
        assert!(matches!(uploads.take(&chunk(0, 1, b"abc")), Progress::Wrong));
        let wrong = Chunk { md5: Some("00".to_owned()), ..chunk(0, 1, b"abcdef") };
        assert!(matches!(uploads.take(&wrong), Progress::Wrong));
        let right = Chunk {
            md5: Some("E80B5017098950FC58AAD83C8C14978E".to_owned()),
            ..chunk(0, 1, b"abcdef")
        };
        assert!(matches!(uploads.take(&right), Progress::Done(_)));
    }
}
