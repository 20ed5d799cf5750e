//! Which cases are listed, and how a state is named in the API.

use std::borrow::Cow;

use serde::Deserialize;
use strum::{Display, EnumString, VariantNames};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::attempts::reference_key;
use super::{Query, lookup};
use crate::policy::Decision;

/// Whether a person decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CaseState {
    /// Nobody decided, and the case was not purged. With the gate's decision `review`, it waits for a person.
    Open,
    /// A person decided.
    Decided,
}

impl PartialSchema for CaseState {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::VARIANTS.iter().copied())).into()
    }
}

impl ToSchema for CaseState {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("StateName")
    }
}

/// One of a case's scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ScoreName {
    /// That the picture shows a screen.
    Screen,
    /// That it shows a print or copy.
    Print,
    /// That it can be read.
    Legibility,
}

impl ScoreName {
    const fn column(self) -> &'static str {
        match self {
            Self::Screen => "cases.score_screen",
            Self::Print => "cases.score_print",
            Self::Legibility => "cases.score_legibility",
        }
    }
}

impl PartialSchema for ScoreName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::VARIANTS.iter().copied())).into()
    }
}

impl ToSchema for ScoreName {}

/// Which cases are listed; what is `None` chooses all.
#[derive(Debug, Clone, Copy, Default)]
pub struct CaseFilter<'a> {
    /// Id of the API key they came by.
    pub owner: Option<&'a str>,
    /// Whether a person decided.
    pub state: Option<CaseState>,
    /// What the gate decided.
    pub decision: Option<Decision>,
    /// Code of a reason that they have.
    pub reason: Option<&'a str>,
    /// What their caller calls them.
    pub reference: Option<&'a str>,
    /// Recorded from then on, in milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Recorded before then, in milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// A score, and the least and the most it has.
    pub score: Option<(ScoreName, f64, f64)>,
    /// The [`super::CaseSummary::seq`] that the last page ended with.
    pub before: Option<i64>,
    /// At most so many, and never more than 500.
    pub limit: u32,
}

impl CaseFilter<'_> {
    pub(super) fn conditions(&self) -> Conditions {
        let mut all = Conditions::default();
        all.with("cases.seq < {}", Value::Number(self.before.unwrap_or(i64::MAX)));
        if let Some(owner) = self.owner {
            all.with("cases.owner = {}", Value::Text(lookup(owner)));
        }
        if let Some(decision) = self.decision {
            all.with("cases.decision = {}", Value::Text(decision.name().to_owned()));
        }
        if let Some(code) = self.reason {
            // In a pattern these three mean something else than themselves.
            let code = lookup(code).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            all.with("cases.reasons LIKE {} ESCAPE '\\'", Value::Text(format!("%,{code},%")));
        }
        if let Some(reference) = self.reference {
            all.with("cases.reference_key = {}", Value::Number(reference_key(reference)));
            all.with("cases.reference = {}", Value::Text(lookup(reference)));
        }
        if let Some(from_ms) = self.from_ms {
            all.with("cases.created_ms >= {}", Value::Number(from_ms));
        }
        if let Some(until_ms) = self.until_ms {
            all.with("cases.created_ms < {}", Value::Number(until_ms));
        }
        if let Some((score, least, most)) = self.score {
            all.with(&format!("{} >= {{}}", score.column()), Value::Real(least));
            all.with(&format!("{} <= {{}}", score.column()), Value::Real(most));
        }
        all.sql.push_str(match self.state {
            Some(CaseState::Open) => " AND cases.decided_ms IS NULL AND cases.purged_ms IS NULL",
            Some(CaseState::Decided) => " AND cases.decided_ms IS NOT NULL",
            None => "",
        });
        all
    }
}

/// Conditions that all hold, and what stands in their places.
#[derive(Default)]
pub(super) struct Conditions {
    sql: String,
    values: Vec<Value>,
}

enum Value {
    Text(String),
    Number(i64),
    Real(f64),
}

impl Conditions {
    /// Adds a condition with `{}` for its one placeholder.
    fn with(&mut self, condition: &str, value: Value) {
        if !self.sql.is_empty() {
            self.sql.push_str(" AND ");
        }
        self.sql.push_str(&condition.replace("{}", &format!("${}", self.next())));
        self.values.push(value);
    }

    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// Number of the next placeholder.
    pub(super) fn next(&self) -> usize {
        self.values.len() + 1
    }

    pub(super) fn bind(self, query: Query<'_>) -> Query<'_> {
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
            Value::Real(number) => query.bind(number),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_as_they_are_written() {
        for state in [CaseState::Open, CaseState::Decided] {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert!("closed".parse::<CaseState>().is_err());
    }
}
