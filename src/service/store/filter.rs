//! Which cases are listed, and how a state is named in the API.

use std::borrow::Cow;

use serde::Deserialize;
use strum::{Display, EnumString, VariantNames};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

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

/// Which cases are listed; what is `None` chooses all.
#[derive(Debug, Clone, Copy, Default)]
pub struct CaseFilter<'a> {
    /// Id of the API key they came by.
    pub owner: Option<&'a str>,
    /// Whether a person decided.
    pub state: Option<CaseState>,
    /// What the gate decided.
    pub decision: Option<Decision>,
    /// The [`super::CaseSummary::seq`] that the last page ended with.
    pub before: Option<i64>,
    /// At most so many, and never more than 500.
    pub limit: u32,
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
