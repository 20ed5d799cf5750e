//! Clients in a closed or an open loop → what they were answered, and how fast.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{io, thread};

use parking_lot::Mutex;

use crate::client::{Answer, Client, IMPATIENCE, Request};
use crate::server::{Server, cpu_s};

/// Not counted: connections are made and the line fills.
const WARM_UP: Duration = Duration::from_secs(2);

/// Answers of some time.
#[derive(Default)]
pub struct Seen {
    /// Times of verdicts.
    pub verdicts: Vec<Duration>,
    /// Times of refusals.
    pub refusals: Vec<Duration>,
    /// Everything else, which there should not be.
    pub others: BTreeMap<String, usize>,
}

impl Seen {
    pub fn take(&mut self, answer: &io::Result<Answer>) {
        match answer {
            Ok(answer) if answer.status == 200 => self.verdicts.push(answer.spent),
            Ok(answer) if answer.status == 503 => self.refusals.push(answer.spent),
            Ok(answer) => *self.others.entry(format!("status {}", answer.status)).or_default() += 1,
            Err(error) => *self.others.entry(format!("error {:?}", error.kind())).or_default() += 1,
        }
    }

    pub fn merge(&mut self, other: Self) {
        self.verdicts.extend(other.verdicts);
        self.refusals.extend(other.refusals);
        for (what, count) in other.others {
            *self.others.entry(what).or_default() += count;
        }
    }
}

/// Nearest-rank percentiles in milliseconds, as cells of a table; the last is the maximum where `1.0` is asked for.
pub fn percentiles(times: &mut [Duration], shares: &[f64]) -> String {
    times.sort_unstable();
    let cell = |share: &f64| {
        let rank = (share * times.len() as f64).ceil() as usize;
        times.get(rank.saturating_sub(1)).map_or("–".to_owned(), |time| format!("{:.0}", time.as_secs_f64() * 1e3))
    };
    shares.iter().map(cell).collect::<Vec<_>>().join(" | ")
}

/// Clients that each send the next request when the last one is answered: what was answered in `span`.
pub fn closed_loop(server: &Server, clients: usize, impatient: bool, span: Duration, request: &Request<'_>) -> Run {
    let seen = Mutex::new(Seen::default());
    let from = Instant::now() + WARM_UP;
    let until = from + span;
    let (client_cpu, service_cpu) = thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                let (mut client, mut mine) = (Client::new(server.address), Seen::default());
                while Instant::now() < until {
                    let answer = client.send(request);
                    if (from..until).contains(&Instant::now()) {
                        mine.take(&answer);
                    }
                    match answer {
                        Ok(answer) if answer.status == 503 && !impatient => {
                            let back = Instant::now() + answer.retry_after();
                            thread::sleep(back.min(until).saturating_duration_since(Instant::now()));
                        }
                        Ok(answer) if answer.status == 200 => {}
                        _ => thread::sleep(IMPATIENCE),
                    }
                }
                seen.lock().merge(mine);
            });
        }
        thread::sleep(from.saturating_duration_since(Instant::now()));
        let before = (cpu_s("self"), server.cpu_s());
        thread::sleep(until.saturating_duration_since(Instant::now()));
        (cpu_s("self") - before.0, server.cpu_s() - before.1)
    });
    let seen = seen.into_inner();
    Run { rate: seen.verdicts.len() as f64 / span.as_secs_f64(), seen, client_cpu, service_cpu }
}

/// What clients in a closed loop were answered, and what it cost.
#[derive(Default)]
pub struct Run {
    /// Verdicts a second.
    pub rate: f64,
    pub seen: Seen,
    /// Processor seconds of the client.
    pub client_cpu: f64,
    /// Processor seconds of the service.
    pub service_cpu: f64,
}

impl Run {
    pub fn merge(&mut self, other: Self) {
        self.rate += other.rate;
        self.seen.merge(other.seen);
        self.client_cpu += other.client_cpu;
        self.service_cpu += other.service_cpu;
    }
}

/// Does `work` at `rate` a second for `span`, whether or not what was begun before has ended. At most `threads` are at
/// work; what would begin more than a quarter of a second late for want of one is left out, and counted.
pub fn open_loop<F>(address: SocketAddr, rate: f64, span: Duration, threads: usize, work: F) -> usize
where
    F: Fn(u64, Duration, &mut Client) + Sync,
{
    let (next, left_out) = (AtomicU64::new(0), AtomicUsize::new(0));
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut client = Client::new(address);
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let due = Duration::from_secs_f64(index as f64 / rate);
                    if due >= span {
                        return;
                    }
                    thread::sleep(due.saturating_sub(begun.elapsed()));
                    if begun.elapsed() > due + Duration::from_millis(250) {
                        left_out.fetch_add(1, Ordering::Relaxed);
                    } else {
                        work(index, due, &mut client);
                    }
                }
            });
        }
    });
    left_out.into_inner()
}
