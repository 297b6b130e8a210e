//! Bodies of `multipart/form-data`, as browsers write them: names in raw UTF-8, with quotes and line ends escaped.

use std::hash::{BuildHasher, RandomState};

/// A form under construction.
pub(crate) struct Form {
    boundary: String,
    body: Vec<u8>,
}

impl Form {
    pub(crate) fn new() -> Self {
        // 128 unpredictable bits, which no file contains.
        let (one, two) = (RandomState::new().hash_one(0), RandomState::new().hash_one(1));
        Self { boundary: format!("----WebKitFormBoundary{one:016x}{two:016x}"), body: Vec::new() }
    }

    /// Adds a text field.
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        self.part(&format!("Content-Disposition: form-data; name=\"{name}\""), value.as_bytes());
        self
    }

    /// Adds a field with a file.
    pub(crate) fn file(mut self, name: &str, file_name: &str, mime: &str, bytes: &[u8]) -> Self {
        let file_name = escaped(file_name);
        let head = format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: {mime}"
        );
        self.part(&head, bytes);
        self
    }

    /// The content type and the body.
    pub(crate) fn finish(mut self) -> (String, Vec<u8>) {
        self.body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        (format!("multipart/form-data; boundary={}", self.boundary), self.body)
    }

    fn part(&mut self, head: &str, content: &[u8]) {
        self.body.extend_from_slice(format!("--{}\r\n{head}\r\n\r\n", self.boundary).as_bytes());
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
    }
}

fn escaped(file_name: &str) -> String {
    file_name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_written_as_browsers_do() {
        let (content_type, body) = Form::new()
            .text("chunk", "0")
            .file("filename", "图 \"1\"\r\n.png", "image/png", b"\0\xff")
            .finish();
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let expected = [
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"chunk\"\r\n\r\n0\r\n--{boundary}\r\n").as_bytes(),
            "Content-Disposition: form-data; name=\"filename\"; filename=\"图 %221%22%0D%0A.png\"\r\n".as_bytes(),
            b"Content-Type: image/png\r\n\r\n\0\xff\r\n",
            format!("--{boundary}--\r\n").as_bytes(),
        ]
        .concat();
        assert_eq!(body, expected);
    }
}
