//! What a policy in the shadow would have decided → a row beside the case, and counts of what would change.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::any::AnyRow;
use utoipa::ToSchema;

use super::cases::{listed, named, unlisted};
use super::{ReviewStore, StoreError, Transaction, column, lookup, storable};
use crate::exact;
use crate::policy::Decision;

/// Confidence of intervals.
const LEVEL: f64 = 0.95;

/// One outcome, judged twice.
#[derive(Debug, Clone, Copy)]
pub struct NewShadow<'a> {
    /// Id of the policy in the shadow.
    pub policy: &'a str,
    /// What the policy in force decides.
    pub force_decision: Decision,
    /// Codes of its reasons.
    pub force_reasons: &'a [&'a str],
    /// What the policy in the shadow would decide.
    pub decision: Decision,
    /// Codes of its reasons.
    pub reasons: &'a [&'a str],
}

/// Which outcomes are counted; what is `None` chooses all.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShadowFilter<'a> {
    /// Whose.
    pub owner: Option<&'a str>,
    /// From when on, in milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Until when, in milliseconds since 1970.
    pub until_ms: Option<i64>,
}

/// What one policy in the shadow would change.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ShadowReport {
    /// Its id.
    pub policy: String,
    /// Outcomes that both policies judged.
    pub n: usize,
    /// Those that would be decided otherwise.
    pub changed: Share,
    /// By what is decided and what would be; those that stay as they are too.
    pub transitions: Vec<Transition>,
    /// By reason.
    pub reasons: Vec<ReasonChange>,
}

/// A part of `n` outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Share {
    /// How many.
    pub count: usize,
    /// From 0 to 1.
    pub share: f64,
    /// The exact interval of the share at 95 % (Clopper and Pearson 1934).
    pub interval: [f64; 2],
}

impl Share {
    fn of(count: usize, n: usize) -> Self {
        Self { count, share: count as f64 / (n.max(1)) as f64, interval: exact::interval(count, n, LEVEL) }
    }
}

/// Outcomes that go from one decision to another, or stay.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Transition {
    /// By the policy in force.
    pub from: Decision,
    /// By the policy in the shadow.
    pub to: Decision,
    /// How many.
    #[serde(flatten)]
    pub share: Share,
}

/// A reason under both policies.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReasonChange {
    /// Its code.
    pub code: String,
    /// Told by both.
    pub kept: usize,
    /// Told by the policy in the shadow alone.
    pub gained: Share,
    /// Told by the policy in force alone.
    pub lost: Share,
}

impl ReviewStore {
    /// What each policy that ran in the shadow would change.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn shadow(&self, filter: ShadowFilter<'_>) -> Result<Vec<ShadowReport>, StoreError> {
        // Few combinations, whatever the number of cases: the database counts.
        let owner = filter.owner.map_or("", |_| " AND cases.owner = $3");
        let sql = format!(
            "SELECT policy, force_decision, force_reasons, shadows.decision, shadows.reasons, COUNT(*) AS n FROM shadows \
             JOIN cases ON cases.id = shadows.case_id WHERE cases.created_ms >= $1 AND cases.created_ms < $2{owner} \
             GROUP BY policy, force_decision, force_reasons, shadows.decision, shadows.reasons ORDER BY policy"
        );
        // Safe: put together from the constants above.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(filter.from_ms.unwrap_or(0))
            .bind(filter.until_ms.unwrap_or(i64::MAX));
        if let Some(owner) = filter.owner {
            query = query.bind(lookup(owner));
        }
        let mut policies: BTreeMap<String, Vec<Group>> = BTreeMap::new();
        for row in &self.read(query).await? {
            let (policy, group) = Group::read(row)?;
            policies.entry(policy).or_default().push(group);
        }
        Ok(policies.into_iter().map(|(policy, groups)| report(policy, &groups)).collect())
    }
}

/// Outcomes that both policies judged alike.
struct Group {
    from: Decision,
    to: Decision,
    before: Vec<String>,
    after: Vec<String>,
    n: usize,
}

impl Group {
    fn read(row: &AnyRow) -> Result<(String, Self), StoreError> {
        let group = Self {
            from: named(&column::<String>(row, "force_decision")?)?,
            to: named(&column::<String>(row, "decision")?)?,
            before: unlisted(column(row, "force_reasons")?),
            after: unlisted(column(row, "reasons")?),
            n: usize::try_from(column::<i64>(row, "n")?).unwrap_or(0),
        };
        Ok((column(row, "policy")?, group))
    }
}

fn report(policy: String, groups: &[Group]) -> ShadowReport {
    let n: usize = groups.iter().map(|group| group.n).sum();
    let (mut transitions, mut reasons) = (BTreeMap::new(), BTreeMap::new());
    for group in groups {
        *transitions.entry((group.from, group.to)).or_insert(0) += group.n;
        for code in group.before.iter().chain(group.after.iter().filter(|code| !group.before.contains(code))) {
            let [kept, gained, lost] = reasons.entry(code.clone()).or_insert([0, 0, 0]);
            let counted = match (group.before.contains(code), group.after.contains(code)) {
                (true, true) => kept,
                (false, _) => gained,
                (true, false) => lost,
            };
            *counted += group.n;
        }
    }
    let changed = transitions.iter().filter(|((from, to), _)| from != to).map(|(_, count)| count).sum();
    ShadowReport {
        policy,
        n,
        changed: Share::of(changed, n),
        transitions: transitions
            .into_iter()
            .map(|((from, to), count)| Transition { from, to, share: Share::of(count, n) })
            .collect(),
        reasons: reasons
            .into_iter()
            .map(|(code, [kept, gained, lost])| ReasonChange {
                code,
                kept,
                gained: Share::of(gained, n),
                lost: Share::of(lost, n),
            })
            .collect(),
    }
}

impl Transaction {
    pub(super) async fn insert_shadow(&mut self, case_id: &str, shadow: &NewShadow<'_>) -> Result<(), StoreError> {
        storable(&[shadow.policy])?;
        let insert = sqlx::query(
            "INSERT INTO shadows (case_id, policy, force_decision, force_reasons, decision, reasons) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(case_id.to_owned())
        .bind(shadow.policy.to_owned())
        .bind(shadow.force_decision.name())
        .bind(listed(shadow.force_reasons))
        .bind(shadow.decision.name())
        .bind(listed(shadow.reasons));
        self.run(insert).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_exact() {
        // scipy.stats.binomtest(k, n).proportion_ci(method="exact")
        for (count, n, low, high) in [(0, 10, 0.0, 0.308_498), (10, 10, 0.691_502, 1.0), (3, 20, 0.032_071, 0.378_927)]
        {
            let [a, b] = exact::interval(count, n, LEVEL);
            assert!((a - low).abs() < 1e-5 && (b - high).abs() < 1e-5, "{count} of {n}: {a} {b}");
        }
        let [low, high] = exact::interval(0, 0, LEVEL);
        assert!(low <= 0.0 && high >= 1.0);
    }
}
