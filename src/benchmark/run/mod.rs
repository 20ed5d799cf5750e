//! A finished run → its results on disk, a few of its captures, what became of them when they were spoiled, and what
//! changed since another run.

mod chosen;
mod compare;
mod results;
mod robustness;

pub use self::chosen::accused;
pub use self::compare::{Comparison, Difference, Flip, compare};
pub use self::results::{ResultRow, Run, RunError, read, write};
pub use self::robustness::{Tried, try_variants, variants};
pub(super) use self::robustness::{encode, picture};
