//! Compresses answers at a bounded cost.

use std::io::Write;

use http::{HeaderMap, header};

/// Smaller bodies fit into one packet uncompressed.
const WORTH_IT: usize = 1_024;
/// Larger bodies are compressed faster but less well, so that no page costs more than a few milliseconds.
const LARGE: usize = 256 * 1024;

/// The encoder's window, in bits. Repetitions in a page are close together, and the default of 22 takes several
/// megabytes per page.
const WINDOW: i32 = 18;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `br`
    Brotli,
    /// `gzip`
    Gzip,
    Identity,
}

impl Coding {
    /// The best coding that the client accepts.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::ACCEPT_ENCODING).into_iter();
        let words = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','));
        let (mut brotli, mut gzip) = (false, false);
        for word in words {
            let (name, weight) = word.split_once(';').unwrap_or((word, ""));
            let refused = weight
                .trim()
                .strip_prefix("q=")
                .is_some_and(|weight| weight.parse() == Ok(0.0));
            match name.trim() {
                name if name.eq_ignore_ascii_case("br") => brotli = !refused,
                name if name.eq_ignore_ascii_case("gzip") => gzip = !refused,
                _ => {}
            }
        }
        match (brotli, gzip) {
            (true, _) => Self::Brotli,
            (false, true) => Self::Gzip,
            (false, false) => Self::Identity,
        }
    }

    /// The name in `Content-Encoding`.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// The body in this coding, with the coding that was used: short bodies stay uncompressed.
    pub fn encode(self, body: Vec<u8>) -> (Self, Vec<u8>) {
        if body.len() < WORTH_IT {
            return (Self::Identity, body);
        }
        let encoded = match self {
            Self::Brotli => brotli(&body),
            Self::Gzip => gzip(&body),
            Self::Identity => return (self, body),
        };
        // Writing to memory cannot fail.
        encoded.map_or((Self::Identity, body), |encoded| (self, encoded))
    }
}

fn brotli(body: &[u8]) -> Option<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: if body.len() > LARGE { 1 } else { 4 },
        size_hint: body.len(),
        lgwin: WINDOW,
        ..Default::default()
    };
    let mut encoder = brotli::CompressorWriter::with_params(Vec::new(), 4_096, &params);
    encoder.write_all(body).ok()?;
    Some(encoder.into_inner())
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let level = flate2::Compression::new(if body.len() > LARGE { 1 } else { 4 });
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn accepted(line: &str) -> Coding {
        Coding::accepted(&HeaderMap::from_iter([(
            header::ACCEPT_ENCODING,
            line.parse().unwrap(),
        )]))
    }

    #[test]
    fn a_client_gets_a_coding_that_it_accepts() {
        for (line, coding) in [
            ("gzip, deflate, br, zstd", Coding::Brotli),
            ("gzip;q=1.0, identity; q=0.5", Coding::Gzip),
            ("br;q=0, GZIP", Coding::Gzip),
            ("br; q=0.0", Coding::Identity),
            ("deflate", Coding::Identity),
            ("", Coding::Identity),
        ] {
            assert_eq!(accepted(line), coding, "{line}");
        }
        assert_eq!(Coding::accepted(&HeaderMap::new()), Coding::Identity);
    }

    #[test]
    fn decoding_gives_the_body_back() {
        let body: Vec<u8> = "a message, and again a message; ".repeat(20_000).into_bytes();
        let (coding, encoded) = Coding::Brotli.encode(body.clone());
        let mut read = Vec::new();
        brotli::Decompressor::new(&*encoded, 4_096)
            .read_to_end(&mut read)
            .unwrap();
        assert!(coding == Coding::Brotli && read == body && encoded.len() < body.len() / 10);
        let (_, encoded) = Coding::Gzip.encode(body.clone());
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(&*encoded)
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(read, body);
        assert_eq!(
            Coding::Brotli.encode(vec![1; 10]),
            (Coding::Identity, vec![1; 10])
        );
    }
}
