//! QR codes: in the terminal and as a picture.

use qrcode::{Color, EcLevel, QrCode};
use thiserror::Error;

/// White modules around the code, as the standard asks for.
const QUIET: usize = 4;

/// Pixels per module in a picture: large enough to be scanned from a phone's chat window.
const SCALE: usize = 8;

/// A QR code, with its quiet zone.
#[derive(Debug, Clone)]
pub(crate) struct Qr {
    modules: Vec<Color>,
    width: usize,
}

/// Why there is no QR code.
#[derive(Debug, Error)]
pub(crate) enum QrError {
    /// The text does not fit into a QR code.
    #[error("the text is too long for a QR code")]
    TooLong(#[source] qrcode::types::QrError),
    /// The picture could not be encoded.
    #[error("the picture could not be made")]
    Picture(#[source] png::EncodingError),
}

impl Qr {
    /// The code of a text. Low redundancy: a screen has no scratches, and a smaller code fits narrow terminals.
    pub(crate) fn of(text: &str) -> Result<Self, QrError> {
        let code =
            QrCode::with_error_correction_level(text, EcLevel::L).map_err(QrError::TooLong)?;
        Ok(Self { width: code.width(), modules: code.into_colors() })
    }

    /// Modules on a side, the quiet zone included.
    fn side(&self) -> usize {
        self.width + 2 * QUIET
    }

    /// Whether the module at that place is dark; all of the quiet zone is light.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < self.width);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => self.modules.get(y * self.width + x) == Some(&Color::Dark),
            _ => false,
        }
    }

    /// Lines of half blocks, two rows of modules each. Black and white are forced (themes do not change colours 16 and
    /// 231), so that the code can be scanned on dark and on light terminals.
    pub(crate) fn for_terminal(&self) -> String {
        (0..self.side()).step_by(2).map(|y| self.line(y)).collect()
    }

    /// The same without any escape, for logs and files: light modules are drawn, since most of them are read on a dark ground.
    pub(crate) fn without_colours(&self) -> String {
        (0..self.side()).step_by(2).map(|y| self.blocks(y, false) + "\n").collect()
    }

    fn line(&self, y: usize) -> String {
        format!("\x1b[38;5;16;48;5;231m{}\x1b[0m\n", self.blocks(y, true))
    }

    /// Two rows of modules, of which either the dark or the light ones are drawn.
    fn blocks(&self, y: usize, dark: bool) -> String {
        (0..self.side())
            .map(|x| match (self.is_dark(x, y) == dark, self.is_dark(x, y + 1) == dark) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            })
            .collect()
    }

    /// A PNG picture, black on white.
    pub(crate) fn png(&self) -> Result<Vec<u8>, QrError> {
        let side = self.side() * SCALE;
        let pixels: Vec<u8> = (0..side * side)
            .map(|at| if self.is_dark(at % side / SCALE, at / side / SCALE) { 0 } else { 255 })
            .collect();
        encode(&pixels, side).map_err(QrError::Picture)
    }
}

fn encode(pixels: &[u8], side: usize) -> Result<Vec<u8>, png::EncodingError> {
    let side = u32::try_from(side).unwrap_or(u32::MAX);
    let mut picture = Vec::new();
    let mut encoder = png::Encoder::new(&mut picture, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://login.example.org/l/4b5VqRcZ8g==";

    /// Reads the blocks of the terminal back into rows of modules.
    fn rows(text: &str) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in text.lines() {
            let blocks =
                line.trim_start_matches("\x1b[38;5;16;48;5;231m").trim_end_matches("\x1b[0m");
            rows.push(blocks.chars().map(|block| matches!(block, '█' | '▀')).collect());
            rows.push(blocks.chars().map(|block| matches!(block, '█' | '▄')).collect());
        }
        rows
    }

    #[test]
    fn the_terminal_shows_every_module_and_the_quiet_zone() {
        let qr = Qr::of(URL).unwrap();
        let rows = rows(&qr.for_terminal());
        for (y, row) in rows.iter().enumerate().take(qr.side()) {
            let expected: Vec<bool> = (0..qr.side()).map(|x| qr.is_dark(x, y)).collect();
            assert_eq!(*row, expected, "row {y}");
        }
        assert!(rows[..QUIET].iter().flatten().all(|dark| !dark));
        assert!(rows[QUIET][QUIET..QUIET + 7].iter().all(|dark| *dark), "finder pattern");
    }

    #[test]
    fn in_a_log_the_code_has_no_escapes_and_holds_the_same_modules_inverted() {
        let qr = Qr::of(URL).unwrap();
        let shown = qr.without_colours();
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        for (y, row) in rows(&shown).iter().enumerate().take(qr.side()) {
            let expected: Vec<bool> = (0..qr.side()).map(|x| !qr.is_dark(x, y)).collect();
            assert_eq!(*row, expected, "row {y}");
        }
    }

    #[test]
    fn the_code_fits_a_narrow_terminal() {
        assert!(Qr::of(URL).unwrap().side() <= 40);
    }

    #[test]
    fn the_picture_holds_the_same_modules() {
        let qr = Qr::of(URL).unwrap();
        let picture = qr.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&picture)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let side = qr.side() * SCALE;
        assert_eq!((info.width as usize, info.height as usize), (side, side));
        let middle = |x: usize, y: usize| pixels[(y * SCALE + 4) * side + x * SCALE + 4] == 0;
        for y in 0..qr.side() {
            for x in 0..qr.side() {
                assert_eq!(middle(x, y), qr.is_dark(x, y), "module {x},{y}");
            }
        }
    }

    #[test]
    fn a_text_too_long_is_an_error() {
        assert!(matches!(Qr::of(&"x".repeat(10_000)), Err(QrError::TooLong(_))));
    }
}
