//! A token for an applicant's own browser → whose it is, what it is for, and how many uploads are left.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{ReviewStore, StoreError, column, draw_text, storable};

/// 43 letters and digits have 62^43 > 2^256 texts.
const SECRET_LENGTH: usize = 43;

/// What every token for uploads begins with.
pub const UPLOAD_PREFIX: &str = "bu_";

/// A token to make.
#[derive(Debug, Clone, Copy)]
pub struct NewUploadToken<'a> {
    /// Whose: uploads count as theirs.
    pub owner: &'a str,
    /// What uploads are asked for, as the service writes it.
    pub asked: &'a str,
    /// How many.
    pub uploads: u32,
    /// Until when, in milliseconds since 1970.
    pub expires_ms: i64,
}

/// What a token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadToken {
    /// Whose: uploads count as theirs.
    pub owner: String,
    /// What uploads are asked for, as the service wrote it.
    pub asked: String,
    /// Pictures a minute of the key that made it.
    pub per_minute: Option<u32>,
}

impl ReviewStore {
    /// Makes a token and gives its text, of which only a hash is stored.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn create_upload_token(&self, new: &NewUploadToken<'_>) -> Result<Zeroizing<String>, StoreError> {
        storable(&[new.owner, new.asked])?;
        let secret = Zeroizing::new(draw_text(SECRET_LENGTH)?);
        let text = Zeroizing::new(format!("{UPLOAD_PREFIX}{}", secret.as_str()));
        let insert = sqlx::query(
            "INSERT INTO upload_tokens (secret_hash, owner, asked, uploads_left, expires_ms) \
             VALUES ($1, $2, $3, $4, $5) RETURNING uploads_left",
        )
        .bind(digest(&text))
        .bind(new.owner.to_owned())
        .bind(new.asked.to_owned())
        .bind(i64::from(new.uploads))
        .bind(new.expires_ms);
        self.write(insert).await?;
        Ok(text)
    }

    /// What the token whose text this is is good for, if it holds at `now_ms` and its owner's key does; `None` says no more
    /// than that.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn upload_token(&self, text: &str, now_ms: i64) -> Result<Option<UploadToken>, StoreError> {
        let is_one = text.strip_prefix(UPLOAD_PREFIX).is_some_and(|secret| {
            secret.len() == SECRET_LENGTH && secret.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if !is_one {
            return Ok(None);
        }
        let look = sqlx::query(
            "SELECT owner, asked FROM upload_tokens WHERE secret_hash = $1 AND uploads_left > 0 AND expires_ms > $2",
        );
        let Some(row) = self.read_one(look.bind(digest(text)).bind(now_ms)).await? else { return Ok(None) };
        let mut token = UploadToken { owner: column(&row, "owner")?, asked: column(&row, "asked")?, per_minute: None };
        if let Some(key) = token.owner.strip_prefix("key:") {
            let query = sqlx::query(
                "SELECT per_minute FROM api_keys \
                 WHERE id = $1 AND revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > $2)",
            );
            let Some(row) = self.read_one(query.bind(key.to_owned()).bind(now_ms)).await? else { return Ok(None) };
            let per_minute: Option<i64> = column(&row, "per_minute")?;
            token.per_minute = per_minute.and_then(|number| u32::try_from(number).ok());
        }
        Ok(Some(token))
    }

    /// Takes one upload of the token whose text this is; whether there was one left at `now_ms`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn spend_upload(&self, text: &str, now_ms: i64) -> Result<bool, StoreError> {
        let spend = sqlx::query(
            "UPDATE upload_tokens SET uploads_left = uploads_left - 1 \
             WHERE secret_hash = $1 AND uploads_left > 0 AND expires_ms > $2 RETURNING uploads_left",
        );
        Ok(!self.write(spend.bind(digest(text)).bind(now_ms)).await?.is_empty())
    }
}

fn digest(text: &str) -> Vec<u8> {
    Sha256::digest(text).to_vec()
}
