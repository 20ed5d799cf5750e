//! Pictures made to cost as much as they can → the processor time of a check of each, over that of a normal one.

use std::time::Duration;

use bonafide::capture::Upload;
use bonafide::{Checker, Deadline};

use super::made::{SIDES, Worst, jpeg, normal, pictures};
use super::processor_time;

/// Most that one may cost, over a normal one of its size, and in all.
pub const MOST_TIMES: f64 = 4.0;

/// Most of all and the worst, over a normal one; told line by line.
pub fn try_all(checker: &Checker) -> (Duration, f64) {
    let normal = normal();
    let cost = |bytes: &[u8]| {
        let one = || {
            let before = processor_time();
            let checked = checker.check(&Upload { bytes, name: None }, Deadline::NEVER);
            (processor_time().saturating_sub(before), checked.map(|report| report.decision))
        };
        // The first warms caches; noise of the machine only adds.
        [one(), one(), one()].into_iter().min_by_key(|(spent, _)| *spent).expect("three")
    };
    let normal_cost = cost(&jpeg(&normal, 85, |_| {})).0;
    println!("a normal JPEG of {} × {}: {:.3} s", SIDES.0, SIDES.1, normal_cost.as_secs_f64());
    let (mut longest, mut most) = (Duration::ZERO, 0.0_f64);
    for Worst { name, bytes } in pictures(&normal) {
        let (spent, answer) = cost(&bytes);
        let times = spent.as_secs_f64() / normal_cost.as_secs_f64();
        let answer = answer.map_or_else(|e| e.code().to_owned(), |decision| format!("{decision:?}"));
        println!("{times:5.2} × {:.3} s  {name} ({} KB): {answer}", spent.as_secs_f64(), bytes.len() >> 10);
        (longest, most) = (longest.max(spent), most.max(times));
    }
    (longest, most)
}
