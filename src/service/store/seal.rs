//! A picture → sealed bytes that only the holder of the key can open, and back.

use std::path::Path;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::{StoreError, fill_random};

/// First byte of sealed bytes: which construction sealed them.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// The key that seals pictures at rest: 256 bits for XChaCha20-Poly1305.
///
/// It is wiped from memory when the last copy is dropped, and `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SealingKey(..)")
    }
}

/// Why a text is not a sealing key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealingKeyError {
    /// The file cannot be read.
    #[error("sealing key: {0}")]
    Unreadable(#[from] std::io::Error),
    /// The text is not the base64 of 32 bytes.
    #[error("sealing key: not the base64 of 32 bytes")]
    Malformed,
}

impl SealingKey {
    /// A key of 32 bytes that somebody drew at random.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key in a file that holds its base64, white space around it aside.
    ///
    /// # Errors
    /// [`SealingKeyError`], which never holds the file's contents.
    pub fn from_file(path: &Path) -> Result<Self, SealingKeyError> {
        Zeroizing::new(std::fs::read_to_string(path)?).parse()
    }

    /// Seals `plain` so that it opens for `case_id` alone: version, nonce, ciphertext, tag.
    pub(super) fn seal(&self, case_id: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE_BYTES];
        // 192 bits: a random nonce never comes twice.
        fill_random(&mut nonce)?;
        let payload = Payload { msg: plain, aad: case_id.as_bytes() };
        let text = self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| StoreError::Sealing)?;
        Ok([&[VERSION][..], &nonce, &text].concat())
    }

    /// Opens what [`Self::seal`] sealed for the same case; any other key, case or byte is an error.
    pub(super) fn open(&self, case_id: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let rest = sealed.strip_prefix(&[VERSION]).ok_or(StoreError::Sealing)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(StoreError::Sealing)?;
        let payload = Payload { msg: text, aad: case_id.as_bytes() };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| StoreError::Sealing)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

impl FromStr for SealingKey {
    type Err = SealingKeyError;

    fn from_str(text: &str) -> Result<Self, SealingKeyError> {
        // One byte more than a key, as the decoder asks for room in whole groups.
        let mut bytes = Zeroizing::new([0; 33]);
        let length = STANDARD.decode_slice(text.trim(), &mut *bytes).map_err(|_| SealingKeyError::Malformed)?;
        match bytes.split_first_chunk::<32>() {
            Some((key, _)) if length == 32 => Ok(Self(Zeroizing::new(*key))),
            _ => Err(SealingKeyError::Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_with_its_key_and_for_its_case() {
        let key = SealingKey::from_bytes([7; 32]);
        let sealed = key.seal("a", b"picture").unwrap();
        assert_ne!(sealed, key.seal("a", b"picture").unwrap(), "the nonce is new each time");
        assert_eq!(key.open("a", &sealed).unwrap(), b"picture");
        assert!(matches!(key.open("b", &sealed), Err(StoreError::Sealing)));
        assert!(matches!(SealingKey::from_bytes([8; 32]).open("a", &sealed), Err(StoreError::Sealing)));
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(matches!(key.open("a", &altered), Err(StoreError::Sealing)), "byte {at}");
            assert!(matches!(key.open("a", &sealed[..at]), Err(StoreError::Sealing)), "cut at {at}");
        }
    }

    #[test]
    fn reads_base64_and_shows_nothing() {
        let text = STANDARD.encode([9; 32]);
        let key: SealingKey = format!(" {text}\n").parse().unwrap();
        assert_eq!(*key.0, [9; 32]);
        assert_eq!(format!("{key:?}"), "SealingKey(..)");
        for bytes in [0, 31, 33, 34, 64] {
            assert!(STANDARD.encode(vec![9; bytes]).parse::<SealingKey>().is_err(), "{bytes}");
        }
        assert!("not base64!".parse::<SealingKey>().is_err());
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{text}\n")).unwrap();
        assert_eq!(*SealingKey::from_file(file.path()).unwrap().0, [9; 32]);
    }
}
