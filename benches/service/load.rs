//! Clients in a closed loop → rate and times by their number, beside the bare checker.

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bonafide::capture::Upload;
use bonafide::checker::{Checker, Options};
use bonafide::scene::Deadline;

use crate::client::EXPECT;
use crate::drive::{Run, closed_loop, percentiles};
use crate::server::{Server, cpu_s};
use crate::{Picture, check, photograph, processors, sample};

/// What the checker does without the service.
#[derive(Clone, Copy)]
struct Bare {
    /// Pictures a second.
    rate: f64,
    /// Processor time of a picture.
    cpu_ms: f64,
}

/// Pictures a second of `Checker::check` on `threads` threads, as the service calls it.
fn bare(threads: usize, span: Duration, picture: &Picture) -> Bare {
    static CHECKER: LazyLock<Checker> = LazyLock::new(|| Checker::new(&Options::default()).expect("shipped models"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let upload = Upload { bytes: &picture.bytes, name: None };
    // The first check of a thread makes its buffers.
    pool.broadcast(|_| CHECKER.check(&upload, Deadline::NEVER).expect("examined"));
    let cpu = cpu_s("self");
    // Each thread to the end of its last picture, so that none counts in part.
    let rates = pool.broadcast(|_| {
        let (begun, mut count) = (Instant::now(), 0);
        while begun.elapsed() < span {
            let report = CHECKER.check(black_box(&upload), Deadline::after(Duration::from_secs(10)));
            black_box(report.expect("examined"));
            count += 1;
        }
        (f64::from(count) / begun.elapsed().as_secs_f64(), count)
    });
    let count: u32 = rates.iter().map(|(_, count)| count).sum();
    let rate = rates.iter().map(|(rate, _)| rate).sum();
    Bare { rate, cpu_ms: 1e3 * (cpu_s("self") - cpu) / f64::from(count) }
}

/// A step of so many seconds is taken in pieces of at most this, each beside one of the bare checker: on a machine that
/// others use too, only neighbours can be compared, and the closer the better.
const PIECE: Duration = Duration::from_secs(5);

/// Rate and times by number of clients, in turn with the bare checker on as many threads as can be busy.
pub fn load(span: Duration, clients: &[usize], asks: bool, impatient: bool) -> Result<(), Box<dyn Error>> {
    let workers = processors();
    let pieces = (span.as_secs_f64() / PIECE.as_secs_f64()).round().max(1.0) as usize;
    println!("{workers} processors, {workers} workers; {pieces} times {} s a step\n", PIECE.as_secs());
    println!(
        "| picture | clients | verdicts/s | bare checker/s (lowest to highest) | ratio (each) | CPU ms a verdict, service \
         and bare | ratio | p50 ms | p95 | p99 | refused | client's CPU |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    let server = Server::start(workers)?;
    let mut others = BTreeMap::new();
    for picture in [photograph(), sample()] {
        let request = check(&picture, if asks { &[EXPECT] } else { &[] });
        for clients in clients.iter().copied() {
            let busy = clients.min(workers);
            let mut whole = Run::default();
            let mut bares = vec![bare(busy, PIECE, &picture)];
            let mut ratios = Vec::new();
            for _ in 0..pieces {
                let run = closed_loop(&server, clients, impatient, PIECE, &request);
                let (before, after) = (bares[bares.len() - 1], bare(busy, PIECE, &picture));
                ratios.push(2.0 * run.rate / (before.rate + after.rate));
                bares.push(after);
                whole.merge(run);
            }
            let Run { rate, mut seen, client_cpu, service_cpu } = whole;
            bares.sort_by(|a, b| a.rate.total_cmp(&b.rate));
            let mean = |pick: fn(&Bare) -> f64| bares.iter().map(pick).sum::<f64>() / bares.len() as f64;
            let each: Vec<_> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
            let cpu_ms = 1e3 * service_cpu / seen.verdicts.len() as f64;
            println!(
                "| {} | {clients} | {:.2} | {:.2} ({:.2} to {:.2}) | {:.2} ({}) | {cpu_ms:.0}, {:.0} | {:.2} | {} | {} | \
                 {:.0} % |",
                picture.name,
                rate / pieces as f64,
                mean(|bare| bare.rate),
                bares[0].rate,
                bares[bares.len() - 1].rate,
                ratios.iter().sum::<f64>() / pieces as f64,
                each.join(", "),
                mean(|bare| bare.cpu_ms),
                mean(|bare| bare.cpu_ms) / cpu_ms,
                percentiles(&mut seen.verdicts, &[0.5, 0.95, 0.99]),
                seen.refusals.len(),
                100.0 * client_cpu / (pieces as f64 * PIECE.as_secs_f64() * workers as f64),
            );
            for (what, count) in seen.others {
                *others.entry(what).or_insert(0) += count;
            }
        }
    }
    println!("\nNeither verdict nor refusal: {others:?}. Complaints in the log: {:?}", server.complaints());
    Ok(())
}
