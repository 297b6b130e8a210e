//! Small valid media for actions without a file.

use bytes::Bytes;

/// A square picture of one colour, as PNG.
pub(crate) fn picture(side: u32, colour: [u8; 3]) -> Bytes {
    let pixels = colour.repeat(usize::try_from(side * side).unwrap_or(0));
    png(side, png::ColorType::Rgb, &pixels)
}

/// Encodes pixels as PNG.
pub(crate) fn png(side: u32, colours: png::ColorType, pixels: &[u8]) -> Bytes {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(colours);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    written.expect("a picture in memory can be written");
    bytes.into()
}

/// Silence: ten frames of MPEG-1 layer III, 32 kbit/s.
pub(crate) fn voice() -> Bytes {
    let mut frame = vec![0xff, 0xfb, 0x10, 0xc4];
    frame.resize(104, 0);
    frame.repeat(10).into()
}

/// The two boxes that make a player recognise MP4.
pub(crate) fn video() -> Bytes {
    Bytes::from_static(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08mdat")
}

/// One transparent pixel.
pub(crate) fn sticker() -> Bytes {
    Bytes::from_static(
        b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
    )
}
