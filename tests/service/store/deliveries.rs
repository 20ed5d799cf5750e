//! Messages → claimed once, backed off, given up.

use bonafide::service::store::{ATTEMPTS, Due, NewCase, NewDelivery, StoreError};

use super::{Bed, NOW, case, on_both};

on_both!(deliveries_are_claimed_once_and_backed_off_until_dead,);

async fn deliveries_are_claimed_once_and_backed_off_until_dead(bed: &Bed) {
    let stores = [bed.open().await, bed.open().await];
    let deliveries: Vec<_> =
        (0..40).map(|at| NewDelivery::new("hook", "case.recorded", format!("{{\"at\":{at}}}")).unwrap()).collect();
    stores[0].record(&NewCase { deliveries: &deliveries, ..case("a") }, "owner").await.unwrap();
    assert!(stores[0].due(NOW - 1, 10, 1000).await.unwrap().is_empty());
    let claims = (0..8).map(|task| {
        let store = stores[task % 2].clone();
        tokio::spawn(async move {
            let mut claimed: Vec<Due> = Vec::new();
            while let Ok(more) = store.due(NOW, 3, 1000).await {
                if more.is_empty() {
                    break;
                }
                claimed.extend(more);
            }
            claimed
        })
    });
    let mut claimed = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        claimed.extend(claim.await.unwrap());
    }
    // A claim that waited for another in PostgreSQL may have found nothing though something was left.
    while let Some(due) = stores[0].due(NOW, 1, 1000).await.unwrap().pop() {
        claimed.push(due);
    }
    let mut ids: Vec<_> = claimed.iter().map(|due| due.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((claimed.len(), ids.len()), (40, 40), "each once");

    let store = &stores[1];
    let (first, rest) = claimed.split_first().unwrap();
    for due in rest {
        store.delivered(&due.id, NOW).await.unwrap();
    }
    assert!(store.due(NOW + 999, 10, 1000).await.unwrap().is_empty());
    let again = store.due(NOW + 1000, 10, 1000).await.unwrap();
    assert_eq!(again.len(), 1, "the lease is over");
    assert_eq!((&again[0].id, again[0].attempt, &again[0].body), (&first.id, 2, &first.body));
    store.failed(first, "late", NOW + 1000).await.unwrap();
    assert!(store.due(NOW + 1999, 10, 1000).await.unwrap().is_empty(), "who lost the lease changes nothing");

    let (mut due, mut now_ms) = (again[0].clone(), NOW + 1000);
    while due.attempt < ATTEMPTS {
        store.failed(&due, "status 500", now_ms).await.unwrap();
        let shortest = 5000 * (1 << (due.attempt - 1)).min(720) * 3 / 4;
        assert!(store.due(now_ms + shortest - 1, 10, 1000).await.unwrap().is_empty(), "attempt {}", due.attempt);
        now_ms += shortest * 4 / 3;
        due = store.due(now_ms, 10, 1000).await.unwrap().pop().unwrap_or_else(|| panic!("after {}", due.attempt));
    }
    store.failed(&due, "status 503\0", now_ms).await.unwrap();
    assert!(store.due(i64::MAX, 10, 1000).await.unwrap().is_empty());
    let letters = store.dead_letters(10).await.unwrap();
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!((&letter.id, letter.attempts, letter.ended_ms, letter.has_body), (&first.id, 12, now_ms, true));
    assert!(letter.last_error.as_deref().unwrap().starts_with("status 503"));
    store.requeue(&letter.id, now_ms).await.unwrap();
    assert!(matches!(store.requeue(&letter.id, now_ms).await, Err(StoreError::Missing(_))));
    let due = store.due(now_ms, 10, 1000).await.unwrap().pop().unwrap();
    assert_eq!((due.attempt, &due.body), (1, &first.body));
    store.delivered(&due.id, now_ms).await.unwrap();
    assert!(store.dead_letters(10).await.unwrap().is_empty());
    assert_eq!(bed.count("deliveries WHERE state = 'delivered' AND body IS NULL").await, 40);
}
