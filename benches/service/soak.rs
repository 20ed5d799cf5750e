//! Everything that clients do, good and bad, for as long as asked → memory, files and store by the clock.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use parking_lot::Mutex;

use crate::acts::{Act, MIX, World};
use crate::drive::{closed_loop, open_loop};
use crate::server::Server;
use crate::{check, growth, photograph, processors, sample};

/// Of what could be done at most.
const SOAK_SHARE: f64 = 0.6;

/// Between two measurements of the process.
const SAMPLING: Duration = Duration::from_secs(5);

/// Everything that clients do, for as long as asked: memory, files and store by the clock.
pub fn soak(span: Duration) -> Result<(), Box<dyn Error>> {
    let workers = processors();
    let (small, large) = (sample(), photograph());
    let server = Server::start(workers)?;
    // Longer on a machine that is busy with other things.
    let rate = |picture| {
        let request = check(picture, &[]);
        let rates = [8, 40, 200].map(Duration::from_secs).into_iter();
        let mut rates = rates.map(|span| closed_loop(&server, 2 * workers, false, span, &request).rate);
        rates.find(|rate| *rate > 0.0).ok_or("nothing was answered in minutes")
    };
    let (small_rate, large_rate) = (rate(&small)?, rate(&large)?);
    let weights: u64 = MIX.iter().map(|(_, weight, ..)| weight).sum();
    let cost = |(_, weight, samples, photographs, _): &(Act, u64, f64, f64, _)| {
        *weight as f64 * (samples / small_rate + photographs / large_rate)
    };
    let arrivals = SOAK_SHARE * weights as f64 / MIX.iter().map(cost).sum::<f64>();
    println!(
        "{workers} workers; at most {small_rate:.1} samples/s or {large_rate:.1} photographs/s, so {arrivals:.1} acts/s of \
         the mix for {:.0} min\n",
        span.as_secs_f64() / 60.0
    );
    // Connections of the measuring have ended.
    thread::sleep(Duration::from_secs(8));
    server.empty_log()?;
    let (files_before, store_before) = (server.files(), server.store_bytes());
    let verdicts = || server.figures("bonafide_verdicts_total").values().sum::<f64>();
    let verdicts_before = verdicts();
    let world = World::new(small, large);
    let ended: Mutex<BTreeMap<String, BTreeMap<String, usize>>> = Mutex::default();
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("soak.csv");
    let mut csv = fs::File::create(&path)?;
    writeln!(csv, "seconds,rss_mb,files,threads,store_bytes,wal_bytes,acts,handoffs")?;
    let acts = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let begun = Instant::now();
    let (left_out, points) = thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut points = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let (at, rss) = (begun.elapsed(), server.status("VmRSS") * 1024.0 / 1e6);
                let (store, wal) = server.store_bytes();
                let handoffs = server.figures("bonafide_handoffs_open").into_values().sum::<f64>();
                let (files, threads, acts) = (server.files(), server.status("Threads"), acts.load(Ordering::Relaxed));
                let _ =
                    writeln!(csv, "{:.0},{rss:.1},{files},{threads},{store},{wal},{acts},{handoffs}", at.as_secs_f64());
                points.push((at.as_secs_f64() / 60.0, rss));
                thread::sleep(SAMPLING);
            }
            points
        });
        let left_out = open_loop(server.address, arrivals, span, 96, |index, _, client| {
            // The order looks random and is the same in every run.
            let drawn = (index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % weights;
            let mut sum = 0;
            let act = MIX.iter().find(|(_, weight, ..)| {
                sum += weight;
                drawn < sum
            });
            let Some((act, .., expected)) = act else { return };
            let end = world.act(*act, index, client).unwrap_or_else(|error| format!("error {:?}", error.kind()));
            let mark = if expected.contains(&end.as_str()) || is_refusal(&end) { "" } else { "UNEXPECTED " };
            *ended.lock().entry(format!("{act:?}")).or_default().entry(format!("{mark}{end}")).or_default() += 1;
            acts.fetch_add(1, Ordering::Relaxed);
        });
        stop.store(true, Ordering::Relaxed);
        (left_out, sampler.join().unwrap_or_default())
    });
    let ended = ended.into_inner();
    println!("| act | ended |\n|---|---|");
    for (act, ends) in &ended {
        let ends: Vec<_> = ends.iter().map(|(end, count)| format!("{end}: {count}")).collect();
        println!("| {act} | {} |", ends.join("; "));
    }
    let count = |pick: &dyn Fn(&str) -> bool| -> usize {
        ended.values().flatten().filter(|(end, _)| pick(end)).map(|(_, count)| count).sum()
    };
    let (unexpected, refused) = (count(&|end| end.starts_with("UNEXPECTED")), count(&is_refusal));
    println!("\nUnexpected: {unexpected}. Refused: {refused}. Left out by the client: {left_out}.");
    println!("Complaints in the log: {:?}", server.complaints());
    // Whatever waits for a time limit has met it.
    thread::sleep(Duration::from_secs(30));
    server.empty_log()?;
    let (files_after, store) = (server.files(), server.store_bytes());
    let cases = verdicts() - verdicts_before;
    let bytes = store.0 as f64 - store_before.0 as f64;
    println!("Files open: {files_before} before, {files_after} after 30 s of quiet.");
    println!("Store: {cases} cases, {:.1} kB each ({} bytes in all, log {}).", bytes / cases / 1e3, store.0, store.1);
    println!("Memory after it: {:.1} MB. By the clock: {}", server.status("VmRSS") * 1024.0 / 1e6, path.display());
    growth::judge(&points, acts.into_inner());
    // The store holds up to eight connections of two or three files, and opens them as they are needed.
    let files = files_after <= files_before + 24;
    println!("Files: {}. Answers: {}.", word(files), word(unexpected == 0));
    Ok(())
}

/// The line is full, or this caller, who is the only one, has as much under way as one may have.
fn is_refusal(end: &str) -> bool {
    matches!(end, "429" | "503")
}

const fn word(good: bool) -> &'static str {
    if good { "pass" } else { "FAIL" }
}
