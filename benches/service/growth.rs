//! Memory by the clock → whether it grows.

/// Growth that is let pass, in MB a minute. At this rate a gigabyte takes the best part of a day of work without a
/// pause, longer than between two updates; of each answer it is about a kilobyte, less than the smallest thing that could be kept
/// of every request by mistake (a report has ten). Half an hour on a noisy allocator tells about a fifth of it apart from
/// nothing.
const MOST_GROWTH: f64 = 1.0;

/// Says whether memory grew over the last two thirds; before that, caches and the allocator's arenas fill.
pub fn judge(points: &[(f64, f64)], acts: u64) {
    let from = points.last().map_or(0.0, |last| last.0) / 3.0;
    let late: Vec<_> = points.iter().copied().filter(|point| point.0 >= from).collect();
    // Means of twenty pieces: neighbouring samples say the same twice, means of a minute hardly.
    let piece = late.len().div_ceil(20).max(1);
    let mean = |points: &[(f64, f64)], pick: fn(&(f64, f64)) -> f64| {
        points.iter().map(pick).sum::<f64>() / points.len() as f64
    };
    let means: Vec<_> = late.chunks(piece).map(|piece| (mean(piece, |p| p.0), mean(piece, |p| p.1))).collect();
    if means.len() < 5 {
        println!("Memory: too short to say.");
        return;
    }
    let (slope, half) = slope(&means);
    let (low, high) = (slope - half, slope + half);
    let lowest = late.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
    let highest = late.iter().map(|p| p.1).fold(0.0, f64::max);
    let minutes = points.last().map_or(1.0, |last| last.0);
    println!(
        "Memory over the last {:.1} min: {slope:+.2} MB/min [{low:+.2}, {high:+.2}], {:+.0} bytes an act; \
         {lowest:.1} to {highest:.1} MB, max/min {:.2}.",
        minutes - from,
        slope * 1e6 / (acts as f64 / minutes),
        highest / lowest
    );
    // Pictures at work come and go; what lies under them should not rise either.
    let floor = |points: &[(f64, f64)]| points.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
    let floors: Vec<_> = late.chunks(piece).map(|piece| (mean(piece, |p| p.0), floor(piece))).collect();
    let (rise, about) = self::slope(&floors);
    println!(
        "Its lowest in each of {} pieces: {rise:+.2} MB/min [{:+.2}, {:+.2}].",
        floors.len(),
        rise - about,
        rise + about
    );
    let verdict = if high < MOST_GROWTH {
        "pass"
    } else if low > 0.0 {
        "FAIL: it grows"
    } else {
        "not told apart from growth: run it for longer"
    };
    println!("Memory: {verdict} (the whole interval must lie under {MOST_GROWTH} MB/min).");
}

/// Least-squares slope and half its 95 % interval; wider by what neighbouring residuals have in common.
fn slope(points: &[(f64, f64)]) -> (f64, f64) {
    let n = points.len() as f64;
    let (mx, my) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let sxx: f64 = points.iter().map(|p| (p.0 - mx).powi(2)).sum();
    let slope = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>() / sxx;
    let residuals: Vec<_> = points.iter().map(|p| p.1 - my - slope * (p.0 - mx)).collect();
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let neighbours: f64 = residuals.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let shared = if squares > 0.0 { (neighbours / squares).clamp(0.0, 0.9) } else { 0.0 };
    let dof = n - 2.0;
    // Student's t at 0.975, within 0.5 % from five degrees of freedom on.
    let t = 1.96 + 2.37 / dof + 2.82 / (dof * dof);
    (slope, t * (squares / dof / sxx * (1.0 + shared) / (1.0 - shared)).sqrt())
}
