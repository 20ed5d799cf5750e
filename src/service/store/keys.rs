//! An API key's text → who may do what; only a hash of its secret is stored.

use std::str::FromStr;

use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::audit::Event;
use super::{ReviewStore, StoreError, bounded, column, draw_text, hash_column, storable};

const ID_LENGTH: usize = 12;
/// 43 letters and digits have 62^43 > 2^256 texts.
const SECRET_LENGTH: usize = 43;

/// One thing that a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Have pictures checked, and open hand-offs.
    Check,
    /// Read all cases and decide them.
    Review,
    /// Purge cases, and read figures.
    Admin,
}

impl Scope {
    const ALL: [Self; 3] = [Self::Check, Self::Review, Self::Admin];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Review => "review",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Check => 1,
            Self::Review => 2,
            Self::Admin => 4,
        }
    }
}

impl FromStr for Scope {
    type Err = ScopesError;

    fn from_str(text: &str) -> Result<Self, ScopesError> {
        Self::ALL.into_iter().find(|scope| scope.name() == text).ok_or(ScopesError)
    }
}

/// What a key allows: a set of [`Scope`]s, in text `check,review`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

/// A text names no scope, or one that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("scopes are a list of check, review and admin, with commas between")]
pub struct ScopesError;

impl Scopes {
    /// The set of `scopes`.
    #[must_use]
    pub fn of(scopes: &[Scope]) -> Self {
        Self(scopes.iter().fold(0, |bits, scope| bits | scope.bit()))
    }

    /// Whether `scope` is among them. No scope includes another.
    #[must_use]
    pub const fn allow(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }
}

impl std::fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = Scope::ALL.into_iter().filter(|&scope| self.allow(scope)).map(Scope::name).collect();
        formatter.write_str(&names.join(","))
    }
}

impl FromStr for Scopes {
    type Err = ScopesError;

    fn from_str(text: &str) -> Result<Self, ScopesError> {
        text.split(',').try_fold(Self::default(), |set, name| {
            let scope: Scope = name.trim().parse()?;
            Ok(Self(set.0 | scope.bit()))
        })
    }
}

/// An API key, its secret aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// 12 letters and digits; no secret.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// Requests a minute; `None` for no bound of its own.
    pub per_minute: Option<u32>,
    /// When it was created, in milliseconds since 1970.
    pub created_ms: i64,
    /// From when it holds no longer, in milliseconds since 1970.
    pub expires_ms: Option<i64>,
    /// When it was revoked, in milliseconds since 1970.
    pub revoked_ms: Option<i64>,
}

/// A key to create.
#[derive(Debug, Clone, Copy)]
pub struct NewKey<'a> {
    /// What people call it.
    pub name: &'a str,
    /// What it allows; at least one thing.
    pub scopes: Scopes,
    /// Requests a minute; `None` for no bound of its own.
    pub per_minute: Option<u32>,
    /// From when it holds no longer, in milliseconds since 1970.
    pub expires_ms: Option<i64>,
}

/// A key that was created or got a new secret, with the only copy of its text.
#[derive(Debug, Clone)]
pub struct IssuedKey {
    /// The key.
    pub key: ApiKey,
    /// What its holder sends.
    pub text: KeyText,
}

/// The text of a key, `bf_<id>_<secret>`: wiped from memory when dropped, and `Debug` shows nothing of the secret.
#[derive(Clone)]
pub struct KeyText(Zeroizing<String>);

impl KeyText {
    /// The text, to show to its holder once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for KeyText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KeyText(..)")
    }
}

impl ReviewStore {
    /// Creates a key.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when it allows nothing, [`StoreError::Unavailable`].
    pub async fn create_key(&self, new: &NewKey<'_>, actor: &str, now_ms: i64) -> Result<IssuedKey, StoreError> {
        storable(&[new.name, actor])?;
        if new.scopes == Scopes::default() {
            return Err(StoreError::Invalid("a key must allow something"));
        }
        let key = ApiKey {
            id: draw_text(ID_LENGTH)?,
            name: new.name.to_owned(),
            scopes: new.scopes,
            per_minute: new.per_minute,
            created_ms: now_ms,
            expires_ms: new.expires_ms,
            revoked_ms: None,
        };
        let (text, hash) = draw_secret(&key.id)?;
        let insert = sqlx::query(
            "INSERT INTO api_keys (id, name, scopes, per_minute, secret_hash, created_ms, expires_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        )
        .bind(key.id.clone())
        .bind(key.name.clone())
        .bind(i64::from(key.scopes.0))
        .bind(key.per_minute.map(i64::from))
        .bind(hash.to_vec())
        .bind(key.created_ms)
        .bind(key.expires_ms);
        let body = serde_json::json!({ "name": key.name, "scopes": key.scopes.to_string() });
        let event = Event { actor, name: "key.created", subject: &key.id, body };
        self.change_key(insert, event, now_ms).await?;
        Ok(IssuedKey { key, text })
    }

    /// All keys, the oldest first, revoked ones too.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let query = sqlx::query("SELECT * FROM api_keys ORDER BY created_ms, id");
        self.read(query).await?.iter().map(read_key).collect()
    }

    /// The key whose text this is, if it holds at `now_ms`; `None` says no more than that.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn find_key(&self, text: &str, now_ms: i64) -> Result<Option<ApiKey>, StoreError> {
        let Some((id, secret)) = split(text) else { return Ok(None) };
        let query = sqlx::query("SELECT * FROM api_keys WHERE id = $1").bind(id.to_owned());
        // Whether an id exists may show in the time this takes; the id is no secret.
        let Some(row) = self.read_one(query).await? else { return Ok(None) };
        let hash = digest(secret);
        let mut same = hash.ct_eq(&hash_column(&row, "secret_hash")?);
        if column::<Option<i64>>(&row, "former_until_ms")?.is_some_and(|until_ms| now_ms < until_ms) {
            same |= hash.ct_eq(&hash_column(&row, "former_hash")?);
        }
        let key = read_key(&row)?;
        let holds = key.revoked_ms.is_none() && key.expires_ms.is_none_or(|expires_ms| now_ms < expires_ms);
        Ok((bool::from(same) && holds).then_some(key))
    }

    /// Revokes a key at once, for good.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such key or it was revoked already, [`StoreError::Unavailable`].
    pub async fn revoke_key(&self, id: &str, actor: &str, now_ms: i64) -> Result<(), StoreError> {
        storable(&[id, actor])?;
        let update = sqlx::query(
            "UPDATE api_keys SET revoked_ms = $2, former_hash = NULL, former_until_ms = NULL \
             WHERE id = $1 AND revoked_ms IS NULL RETURNING id",
        );
        let event = Event { actor, name: "key.revoked", subject: id, body: serde_json::json!({}) };
        self.change_key(update.bind(id.to_owned()).bind(now_ms), event, now_ms).await.map(|_| ())
    }

    /// Gives a key a new secret, which holds at once; the one before it holds for `grace_ms` more, and any older one no
    /// longer.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such key or it was revoked, [`StoreError::Unavailable`].
    pub async fn rotate_key(&self, id: &str, grace_ms: i64, actor: &str, now_ms: i64) -> Result<IssuedKey, StoreError> {
        storable(&[id, actor])?;
        let (text, hash) = draw_secret(id)?;
        let update = sqlx::query(
            "UPDATE api_keys SET former_hash = secret_hash, former_until_ms = $2, secret_hash = $3 \
             WHERE id = $1 AND revoked_ms IS NULL RETURNING *",
        )
        .bind(id.to_owned())
        .bind(now_ms.saturating_add(grace_ms.max(0)))
        .bind(hash.to_vec());
        let body = serde_json::json!({ "grace_ms": grace_ms.max(0) });
        let row = self.change_key(update, Event { actor, name: "key.rotated", subject: id, body }, now_ms).await?;
        Ok(IssuedKey { key: read_key(&row)?, text })
    }

    /// One statement on one key, and its audit row.
    async fn change_key(
        &self,
        statement: super::Query<'_>,
        event: Event<'_>,
        now_ms: i64,
    ) -> Result<AnyRow, StoreError> {
        bounded(async {
            let mut transaction = self.begin().await?;
            let result = async {
                let place = transaction.take_place().await?;
                let row = transaction.row(statement).await?.ok_or(StoreError::Missing("key"))?;
                transaction.write_event(place, now_ms, event).await?;
                Ok(row)
            }
            .await;
            transaction.end(result).await
        })
        .await
    }
}

fn read_key(row: &AnyRow) -> Result<ApiKey, StoreError> {
    let wrong = |_| StoreError::Corrupt("a key's number is out of range".to_owned());
    Ok(ApiKey {
        id: column(row, "id")?,
        name: column(row, "name")?,
        scopes: Scopes(u8::try_from(column::<i64>(row, "scopes")?).map_err(wrong)?),
        per_minute: column::<Option<i64>>(row, "per_minute")?.map(u32::try_from).transpose().map_err(wrong)?,
        created_ms: column(row, "created_ms")?,
        expires_ms: column(row, "expires_ms")?,
        revoked_ms: column(row, "revoked_ms")?,
    })
}

/// A new text for the key called `id`, and the hash of its secret.
fn draw_secret(id: &str) -> Result<(KeyText, [u8; 32]), StoreError> {
    let mut secret = draw_text(SECRET_LENGTH)?;
    let text = KeyText(Zeroizing::new(format!("bf_{id}_{secret}")));
    let hash = digest(&secret);
    secret.zeroize();
    Ok((text, hash))
}

/// The stored form of a secret. A slow hash protects words that people choose, of which there are few; of these random
/// texts there are 2^256, and nobody tries a noticeable part of them at any speed.
fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Id and secret in a key's text, if it has the form of one.
fn split(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.strip_prefix("bf_")?.split_once('_')?;
    let plain = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain(id, ID_LENGTH) && plain(secret, SECRET_LENGTH)).then_some((id, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_written() {
        let scopes: Scopes = "review, check".parse().unwrap();
        assert_eq!(scopes.to_string(), "check,review");
        assert!(scopes.allow(Scope::Check) && scopes.allow(Scope::Review) && !scopes.allow(Scope::Admin));
        assert_eq!(scopes, Scopes::of(&[Scope::Check, Scope::Review]));
        for text in ["", "check,", "root", "Check"] {
            assert_eq!(text.parse::<Scopes>(), Err(ScopesError), "{text}");
        }
    }

    #[test]
    fn only_texts_of_the_form_are_split() {
        let (text, hash) = draw_secret("abcdefghij12").unwrap();
        let (id, secret) = split(text.reveal()).unwrap();
        assert_eq!((id, digest(secret)), ("abcdefghij12", hash));
        assert_eq!(format!("{text:?}"), "KeyText(..)");
        for text in ["", "bf_", "bf__", &text.reveal()[1..], &text.reveal()[..58], &format!("{}0", text.reveal())] {
            assert!(split(text).is_none(), "{text}");
        }
    }
}
