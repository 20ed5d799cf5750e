//! Four times as many requests as can be answered → how many are answered all the same, and how soon the others hear.

use std::error::Error;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::client::EXPECT;
use crate::drive::{Seen, closed_loop, open_loop, percentiles};
use crate::server::{Server, cpu_s};
use crate::{check, photograph, processors, sample};

/// Four times as many requests as can be answered: is as much answered as before, and are the others told at once?
pub fn overload(span: Duration) -> Result<(), Box<dyn Error>> {
    /// More than the uploads that the service takes at a time, and as many again that are being refused.
    const THREADS: usize = 256;
    /// Until the line has filled; not counted.
    const RAMP: Duration = Duration::from_secs(5);
    let workers = processors();
    println!("{workers} workers; peak: {} clients in a closed loop; then 4 times the peak\n", 2 * workers);
    println!(
        "| picture | body | peak/s, before and after | sent/s | goodput/s | of the peak | refused | refusal p50 ms | \
         p95 | p99 | max | verdict p50 ms | p99 | left out | client's CPU | service's CPU |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    for picture in [photograph(), sample()] {
        for (manner, headers) in [("at once", &[][..]), ("when told (100)", &[EXPECT][..])] {
            let server = Server::start(workers)?;
            let request = check(&picture, headers);
            let peak = || closed_loop(&server, 2 * workers, false, span / 2, &request).rate;
            let before = peak();
            let seen = Mutex::new(Seen::default());
            let causes = server.figures("bonafide_refusals_total");
            let begun = Instant::now();
            let cpu = (cpu_s("self"), server.cpu_s());
            let left_out = open_loop(server.address, 4.0 * before, RAMP + span, THREADS, |_, _, client| {
                let answer = client.send(&request);
                if (RAMP..RAMP + span).contains(&begun.elapsed()) {
                    seen.lock().take(&answer);
                }
            });
            let all = begun.elapsed().as_secs_f64() * workers as f64 / 100.0;
            let cpu = ((cpu_s("self") - cpu.0) / all, (server.cpu_s() - cpu.1) / all);
            let mut seen = seen.into_inner();
            let mut refused = server.figures("bonafide_refusals_total");
            for (cause, count) in causes {
                *refused.entry(cause).or_default() -= count;
            }
            let after = peak();
            let goodput = seen.verdicts.len() as f64 / span.as_secs_f64();
            let answers = seen.verdicts.len() + seen.refusals.len() + seen.others.values().sum::<usize>();
            println!(
                "| {} | {manner} | {before:.2}, {after:.2} | {:.1} | {goodput:.2} | {:.0} % | {:.0} % | {} | {} | \
                 {left_out} | {:.0} % | {:.0} % |",
                picture.name,
                4.0 * before,
                200.0 * goodput / (before + after),
                100.0 * seen.refusals.len() as f64 / answers as f64,
                percentiles(&mut seen.refusals, &[0.5, 0.95, 0.99, 1.0]),
                percentiles(&mut seen.verdicts, &[0.5, 0.99]),
                cpu.0,
                cpu.1,
            );
            let late = seen.refusals.iter().filter(|time| **time > Duration::from_millis(100)).count();
            eprintln!(
                "  {late} refusals after more than 100 ms; causes {refused:?}; others {:?}; log {:?}",
                seen.others,
                server.complaints()
            );
        }
    }
    println!("\nAimed at: goodput at least 80 % of the peak, refusals within 100 ms.");
    Ok(())
}
