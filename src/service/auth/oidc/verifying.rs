//! A signature and a key of the issuer → whether one was made with the other.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, new_error};
use jsonwebtoken::signature::{Error as SignatureError, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature as ring_signature;

/// Every algorithm that a token may name: those with a public key that issuers use and that are not broken.
pub(super) const ALLOWED: [Algorithm; 5] =
    [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];

/// Verification on ring, which TLS brings along anyway; the library's own choices would add a second set of
/// cryptography to the program.
pub(super) static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    verifier_factory: |algorithm, key| {
        if !ALLOWED.contains(algorithm) || algorithm.family() != key.family() {
            return Err(new_error(ErrorKind::InvalidAlgorithm));
        }
        Ok(Box::new(RingVerifier { algorithm: *algorithm, key: key.clone() }))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let rsa = match self.algorithm {
            Algorithm::RS256 => Some(&ring_signature::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::PS256 => Some(&ring_signature::RSA_PSS_2048_8192_SHA256),
            _ => None,
        };
        let verified = match (self.key.kind(), rsa) {
            (DecodingKeyKind::RsaModulusExponent { n, e }, Some(scheme)) => {
                ring_signature::RsaPublicKeyComponents { n: without_zeros(n), e: without_zeros(e) }
                    .verify(scheme, message, signature)
            }
            (DecodingKeyKind::SecretOrDer(point), None) => {
                let scheme: &dyn ring_signature::VerificationAlgorithm = match self.algorithm {
                    Algorithm::ES256 => &ring_signature::ECDSA_P256_SHA256_FIXED,
                    Algorithm::ES384 => &ring_signature::ECDSA_P384_SHA384_FIXED,
                    Algorithm::EdDSA => &ring_signature::ED25519,
                    _ => return Err(SignatureError::new()),
                };
                ring_signature::UnparsedPublicKey::new(scheme, point).verify(message, signature)
            }
            _ => return Err(SignatureError::new()),
        };
        verified.map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

pub(super) fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().position(|&byte| byte != 0).unwrap_or(number.len())..]
}
