//! `multipart/form-data`, in the variants that clients write.

use std::ops::Range;

/// One part of a form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// Present for files.
    pub(crate) file_name: Option<String>,
    /// The byte range of its content in the body.
    pub(crate) bytes: Range<usize>,
}

/// Reads all parts and skips malformed ones.
pub(crate) fn parts(content_type: &str, body: &[u8]) -> Vec<Part> {
    let Some(boundary) = boundary(content_type) else { return Vec::new() };
    let delimiter = format!("--{boundary}").into_bytes();
    let marks: Vec<_> =
        find_all(body, &delimiter).filter(|at| is_line(body, *at, delimiter.len())).collect();
    marks
        .windows(2)
        .filter_map(|pair| {
            let start = pair[0] + delimiter.len();
            // The line break before a delimiter belongs to the delimiter.
            let end = pair[1] - if body[..pair[1]].ends_with(b"\r\n") { 2 } else { 1 };
            part(body, start..end)
        })
        .collect()
}

fn boundary(content_type: &str) -> Option<String> {
    let (_, rest) = content_type.split_once("boundary=")?;
    let value = rest.split(';').next()?.trim().trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

/// A delimiter is a line of its own; the last one is followed by two dashes.
fn is_line(body: &[u8], at: usize, length: usize) -> bool {
    let (before, behind) = (&body[..at], &body[at + length..]);
    (before.is_empty() || before.ends_with(b"\n"))
        && [&b"\r\n"[..], b"\n", b"--"].iter().any(|end| behind.starts_with(end))
}

fn find_all<'a>(body: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = find(&body[from..], needle)? + from;
        from = at + needle.len();
        Some(at)
    })
}

fn find(body: &[u8], needle: &[u8]) -> Option<usize> {
    body.windows(needle.len()).position(|window| window == needle)
}

fn part(body: &[u8], range: Range<usize>) -> Option<Part> {
    let (blank, width) = match find(body.get(range.clone())?, b"\r\n\r\n") {
        Some(at) => (at, 4),
        None => (find(&body[range.clone()], b"\n\n")?, 2),
    };
    let head = String::from_utf8_lossy(&body[range.start..range.start + blank]).into_owned();
    let disposition =
        head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition"))?;
    let bytes = range.start + blank + width..range.end;
    (bytes.start <= bytes.end).then_some(())?;
    Some(Part {
        name: attribute(disposition, "name")?,
        file_name: attribute(disposition, "filename").or_else(|| {
            let encoded = attribute(disposition, "filename*")?;
            let plain = encoded.rsplit("''").next().unwrap_or("");
            Some(crate::wire::text::percent_decode(plain))
        }),
        bytes,
    })
}

fn attribute(line: &str, needle: &str) -> Option<String> {
    fields(line).into_iter().skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        (name.trim() == needle).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// The parts between semicolons; a semicolon inside quotes does not separate.
fn fields(line: &str) -> Vec<&str> {
    let mut quoted = false;
    line.split(|c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_form() {
        let body = b"--B\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\nWU_FILE_0\r\n--B\r\n\
            Content-Disposition: form-data; name=\"filename\"; filename=\"\xe5\x9b\xbe.png\"\r\nContent-Type: image/png\r\n\r\n\
            a--B\r\n--Bb\r\n\r\n--B--\r\n";
        let parts = parts("multipart/form-data; boundary=B", body);
        assert_eq!(parts.len(), 2);
        assert_eq!(
            (parts[0].name.as_str(), &body[parts[0].bytes.clone()]),
            ("id", &b"WU_FILE_0"[..])
        );
        assert_eq!(parts[1].file_name.as_deref(), Some("图.png"));
        assert_eq!(&body[parts[1].bytes.clone()], b"a--B\r\n--Bb\r\n");
    }

    #[test]
    fn a_file_name_may_hold_what_separates_fields() {
        let body = b"--B\r\nContent-Disposition: form-data; filename=\"a; name=x.png\"; name=\"filename\"\r\n\r\nz\r\n--B--\r\n";
        let parts = parts("multipart/form-data; boundary=B", body);
        assert_eq!(parts[0].name, "filename");
        assert_eq!(parts[0].file_name.as_deref(), Some("a; name=x.png"));
    }

    #[test]
    fn malformed_bodies_have_no_parts() {
        for (kind, body) in [
            ("", &b"--B"[..]),
            ("multipart/form-data; boundary=", b"--"),
            ("x; boundary=B", b"--B--B"),
        ] {
            assert!(parts(kind, body).is_empty());
        }
    }
}
