//! A count of a number → the interval that its share lies in.

use statrs::function::beta::checked_beta_reg;

/// Lower and upper end of the exact interval of `successes` in `trials`, no fewer, at `level`, strictly between 0 and 1
/// (Clopper and Pearson 1934). Each tail gets half of what is left, also where all or none succeed. Of no trials it is 0
/// to 1.
pub fn interval(successes: usize, trials: usize, level: f64) -> [f64; 2] {
    let tail = (1.0 - level) / 2.0;
    let (successes, failures) = (successes as f64, (trials - successes) as f64);
    let low = if successes == 0.0 { 0.0 } else { beta_quantile(tail, successes, failures + 1.0) };
    // The upper end is the lower end of the failures.
    let high = if failures == 0.0 { 1.0 } else { 1.0 - beta_quantile(tail, failures, successes + 1.0) };
    [low, high]
}

/// Where the beta distribution with the shapes `a` and `b` reaches `share`, halved until no number lies between.
fn beta_quantile(share: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if checked_beta_reg(a, b, middle).is_ok_and(|reached| reached < share) { low = middle } else { high = middle }
    }
}
