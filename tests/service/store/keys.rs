//! API keys → found, rotated, revoked.

use bonafide::service::store::{NewKey, Scope, Scopes, StoreError};

use super::{Bed, NOW, left, on_both};

on_both!(keys_are_found_rotated_and_revoked,);

async fn keys_are_found_rotated_and_revoked(bed: &Bed) {
    let store = bed.open().await;
    let new = NewKey {
        name: "form",
        scopes: "check,review".parse().unwrap(),
        per_minute: Some(60),
        expires_ms: Some(NOW + 10_000),
    };
    let issued = store.create_key(&new, "admin", NOW).await.unwrap();
    let (text, id) = (issued.text.reveal(), &issued.key.id);
    assert!(text.starts_with(&format!("bf_{id}_")));
    assert_eq!(store.find_key(text, NOW).await.unwrap().as_ref(), Some(&issued.key));
    assert_eq!(store.keys().await.unwrap(), std::slice::from_ref(&issued.key));
    assert!(issued.key.scopes.allow(Scope::Review) && !issued.key.scopes.allow(Scope::Admin));
    let last = if text.ends_with('a') { "b" } else { "a" };
    let wrong = [&text[..text.len() - 1], last].concat();
    for (other, now_ms) in [(wrong.as_str(), NOW), ("", NOW), (text, NOW + 10_000)] {
        assert_eq!(store.find_key(other, now_ms).await.unwrap(), None);
    }

    let rotated = store.rotate_key(id, 500, "admin", NOW + 1).await.unwrap();
    let finds = async |text: &str, now_ms| store.find_key(text, now_ms).await.unwrap().is_some();
    assert!(finds(rotated.text.reveal(), NOW + 1).await);
    assert!(finds(text, NOW + 500).await && !finds(text, NOW + 501).await);
    let last = store.rotate_key(id, 0, "admin", NOW + 2).await.unwrap();
    assert!(!finds(text, NOW + 2).await && !finds(rotated.text.reveal(), NOW + 2).await);
    assert!(finds(last.text.reveal(), NOW + 2).await);
    store.revoke_key(id, "admin", NOW + 3).await.unwrap();
    assert!(!finds(last.text.reveal(), NOW + 3).await);
    for result in [store.revoke_key(id, "admin", NOW + 4).await, store.revoke_key("nobody", "admin", NOW + 4).await] {
        assert!(matches!(result, Err(StoreError::Missing("key"))), "{result:?}");
    }
    assert!(matches!(store.rotate_key(id, 0, "admin", NOW + 4).await, Err(StoreError::Missing("key"))));
    let nothing = NewKey { scopes: Scopes::default(), ..new };
    assert!(matches!(store.create_key(&nothing, "admin", NOW).await, Err(StoreError::Invalid(_))));

    let rows = store.audit(0, 10).await.unwrap();
    let events: Vec<_> = rows.iter().map(|row| row.event.as_str()).collect();
    assert_eq!(events, ["key.created", "key.rotated", "key.rotated", "key.revoked"]);
    assert!(rows.iter().all(|row| &row.subject == id && row.actor == "admin"));
    assert_eq!(store.verify().await.unwrap().rows, 4);
    if let Some(folder) = &bed.folder {
        let secret = text.rsplit('_').next().unwrap();
        assert!(left(folder.path(), secret).is_empty() && !left(folder.path(), id).is_empty());
    }
}
