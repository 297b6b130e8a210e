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
    /// The number of its last chunk among those of all files.
    touched: u64,
}

/// All files, in progress and finished, by sender, receiver and file.
#[derive(Debug)]
pub(crate) struct Uploads {
    files: HashMap<String, Upload>,
    /// The number of chunks so far.
    chunks: u64,
    /// The most files.
    most: usize,
    /// The most bytes of all files in progress.
    most_bytes: usize,
}

/// Clients have a few files in progress. The one that waits longest for its next chunk is given up first.
impl Default for Uploads {
    fn default() -> Self {
        Self { files: HashMap::new(), chunks: 0, most: 100, most_bytes: 256 << 20 }
    }
}

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
            self.files.insert(chunk.key.clone(), Upload::default());
        }
        self.chunks += 1;
        let Some(upload) = self.files.get_mut(&chunk.key) else { return Progress::Wrong };
        upload.touched = self.chunks;
        let progress = self.add(chunk);
        self.give_up_oldest();
        // The file may be larger than all files in progress may be.
        if self.files.contains_key(&chunk.key) { progress } else { Progress::Wrong }
    }

    fn add(&mut self, chunk: &Chunk) -> Progress {
        let Some(upload) = self.files.get_mut(&chunk.key) else { return Progress::Wrong };
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
        self.files.remove(&chunk.key);
        Progress::Wrong
    }

    /// Forgets files until the others are within the limits.
    fn give_up_oldest(&mut self) {
        let mut bytes: usize = self.files.values().map(|upload| upload.bytes.len()).sum();
        while self.files.len() > self.most || bytes > self.most_bytes {
            // Only files in progress take room; a finished one shares its bytes with the world.
            let is_too_large = bytes > self.most_bytes;
            let oldest = self
                .files
                .iter()
                .filter(|(_, upload)| !is_too_large || !upload.bytes.is_empty())
                .min_by_key(|(_, upload)| upload.touched)
                .map(|(key, _)| key.clone());
            let Some(given_up) = oldest.and_then(|key| self.files.remove(&key)) else { return };
            bytes -= given_up.bytes.len();
        }
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
    fn uploads_that_are_never_finished_are_given_up_oldest_first() {
        let of = |key: &str, index, bytes| Chunk { key: key.to_owned(), ..chunk(index, 3, bytes) };
        let mut uploads = Uploads { most: 2, most_bytes: 5, ..Uploads::default() };
        let more = |progress| matches!(progress, Progress::More(_));
        assert!(more(uploads.take(&of("a", 0, b"1"))));
        assert!(more(uploads.take(&of("b", 0, b"1"))));
        assert!(more(uploads.take(&of("a", 1, b"2"))));
        // More files than may be.
        assert!(more(uploads.take(&of("c", 0, b"1"))));
        assert!(!more(uploads.take(&of("b", 1, b"2"))), "b waited longest");
        // More bytes than may be.
        assert!(more(uploads.take(&of("c", 1, b"234"))));
        assert!(!more(uploads.take(&of("a", 2, b"3"))), "a waited longest");
        assert!(!more(uploads.take(&of("d", 0, b"123456"))), "too large by itself");
        assert!(!more(uploads.take(&of("d", 1, b"7"))));
        assert!(uploads.files.is_empty());
    }

    #[test]
    fn a_finished_upload_is_kept_beside_files_in_progress() {
        let mut uploads = Uploads { most_bytes: 6, ..Uploads::default() };
        assert!(matches!(uploads.take(&chunk(0, 1, b"abcdef")), Progress::Done(_)));
        let other = Chunk { key: "other".to_owned(), ..chunk(0, 2, b"abcdefg") };
        assert!(matches!(uploads.take(&other), Progress::Wrong));
        assert!(matches!(uploads.take(&chunk(0, 1, b"abcdef")), Progress::Done(_)));
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
