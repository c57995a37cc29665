//! A file's contents in the content codings that browsers ask for, made once, when it pays.
//!
//! Invariant: the same contents give the same bytes, so the result can be taken over from an earlier
//! release whose manifest names the same [`COMPRESSION`].

use crate::Encoding;
use std::io::{self, Write};

/// How variants are made: encoders, levels and the rule that keeps one. Part of the manifest, so
/// that a release made otherwise has another id; change it whenever the bytes would change.
pub const COMPRESSION: &str = "br-11,zstd-19,gzip-9;saves=5%,100B;max=16MiB;1";

/// Larger files get no variants: the best brotli takes about two seconds a megabyte.
pub const MAX_COMPRESSED_BYTES: u64 = 16 * 1024 * 1024;

/// A variant must save this share of the file …
const MIN_SAVED_SHARE: f64 = 0.05;
/// … and so many bytes, or the response header that names it eats what it saves.
const MIN_SAVED_BYTES: usize = 100;

/// Highest quality; files are compressed once and sent often.
const BROTLI_QUALITY: i32 = 11;
/// 4 MiB window, the largest that stays cheap for a phone to undo.
const BROTLI_WINDOW_BITS: i32 = 22;
/// The highest level whose window stays within the 8 MiB that RFC 9659 allows on the web.
const ZSTD_LEVEL: i32 = 19;
const GZIP_LEVEL: u32 = 9;

/// The contents in an encoding, or `None` when that does not pay.
///
/// # Errors
/// Those of the encoder.
pub fn encode(encoding: Encoding, contents: &[u8]) -> io::Result<Option<Vec<u8>>> {
    if contents.len() <= MIN_SAVED_BYTES {
        return Ok(None);
    }
    let encoded = match encoding {
        Encoding::Br => brotli(contents)?,
        Encoding::Zstd => zstd::bulk::compress(contents, ZSTD_LEVEL)?,
        Encoding::Gzip => gzip(contents)?,
    };
    Ok(pays(contents.len(), encoded.len()).then_some(encoded))
}

fn pays(plain: usize, encoded: usize) -> bool {
    let saved = plain.saturating_sub(encoded);
    saved >= MIN_SAVED_BYTES && saved as f64 >= plain as f64 * MIN_SAVED_SHARE
}

fn brotli(mut contents: &[u8]) -> io::Result<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW_BITS,
        size_hint: contents.len(),
        ..Default::default()
    };
    let mut encoded = Vec::new();
    brotli::BrotliCompress(&mut contents, &mut encoded, &params)?;
    Ok(encoded)
}

fn gzip(contents: &[u8]) -> io::Result<Vec<u8>> {
    // No file name and no time in the header: the same contents give the same bytes.
    let level = flate2::Compression::new(GZIP_LEVEL);
    let mut encoder = flate2::GzBuilder::new().write(Vec::new(), level);
    encoder.write_all(contents)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sha256;
    use proptest::prelude::*;
    use std::io::Read;

    fn decode(encoding: Encoding, encoded: &[u8]) -> Vec<u8> {
        let mut decoded = Vec::new();
        match encoding {
            Encoding::Br => {
                brotli::BrotliDecompress(&mut &*encoded, &mut decoded).unwrap();
            }
            Encoding::Zstd => decoded = zstd::stream::decode_all(encoded).unwrap(),
            Encoding::Gzip => {
                flate2::read::GzDecoder::new(encoded).read_to_end(&mut decoded).unwrap();
            }
        }
        decoded
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_variant_is_smaller_and_the_same_contents(word in "[a-z<>/ ]{1,40}", count in 0..400usize) {
            let contents = word.repeat(count).into_bytes();
            for encoding in Encoding::ALL {
                if let Some(encoded) = encode(encoding, &contents).unwrap() {
                    prop_assert!(encoded.len() + MIN_SAVED_BYTES <= contents.len());
                    prop_assert_eq!(&decode(encoding, &encoded), &contents);
                }
            }
        }
    }

    #[test]
    fn what_saves_too_little_is_not_kept() {
        assert!(pays(1000, 900));
        assert!(!pays(1000, 901), "100 bytes are too few by one");
        assert!(!pays(100_000, 95_001), "less than 5%");
        assert!(!pays(10, 20));
    }

    #[test]
    fn the_bytes_are_those_that_the_compression_string_stands_for() {
        let contents: String = (0..2_000).map(|n| format!("<li>item {n}</li>\n")).collect();
        let digests = Encoding::ALL.map(|encoding| {
            let encoded = encode(encoding, contents.as_bytes()).unwrap().unwrap();
            Sha256::of(&encoded).to_string()[..12].to_owned()
        });
        // Changed? Then an encoder changed: raise the number at the end of COMPRESSION.
        assert_eq!(
            (COMPRESSION.rsplit(';').next(), digests.join(" ").as_str()),
            (Some("1"), "44240dbcc65c 65e9661b3d7b 34331469d585")
        );
    }
}
