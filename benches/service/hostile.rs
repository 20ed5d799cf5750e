//! One caller's pictures that cost as much as they can → what another's honest pictures are answered beside them.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use crate::client::Client;
use crate::drive::{Seen, percentiles};
use crate::server::Server;
use crate::worst::{Worst, normal, pictures};
use crate::{Picture, check, processors, sample};

/// In flight at a time.
const IN_FLIGHT: usize = 8;

/// Until every one of them is in flight; not counted.
const RAMP: Duration = Duration::from_secs(5);

/// Most that the service takes of a picture as shipped; larger ones are refused before they cost anything.
const LARGEST_UPLOAD: usize = 16 << 20;

/// Answers to `count` honest pictures, one after another, alone and beside eight hostile ones at a time.
pub fn hostile(count: usize) -> Result<(), Box<dyn Error>> {
    let costly: Vec<Picture> = pictures(&normal())
        .into_iter()
        .filter(|made| made.bytes.len() <= LARGEST_UPLOAD)
        .map(|Worst { name, bytes }| Picture { name, bytes })
        .collect();
    let (server, [honest, hostile]) = Server::start_with_keys(processors())?;
    let (honest, hostile) = (format!("authorization: Bearer {honest}"), format!("authorization: Bearer {hostile}"));
    let picture = sample();
    let answers = || {
        let (mut client, mut seen) = (Client::new(server.address), Seen::default());
        for _ in 0..count {
            seen.take(&client.send(&check(&picture, &[&honest])));
        }
        seen
    };
    println!(
        "{} workers; {} kinds of costly pictures, {IN_FLIGHT} in flight; {}\n\n\
         | honest pictures | answered | p50 ms | p95 | longest | refused | others |\n|---|---|---|---|---|---|---|",
        processors(),
        costly.len(),
        picture.name
    );
    let tell = |which: &str, mut seen: Seen| {
        println!(
            "| {which} | {} of {count} | {} | {} | {:?} |",
            seen.verdicts.len(),
            percentiles(&mut seen.verdicts, &[0.5, 0.95, 1.0]),
            seen.refusals.len(),
            seen.others
        );
    };
    // The first ones make buffers.
    answers();
    tell("alone", answers());
    let stop = AtomicBool::new(false);
    let ended: Mutex<BTreeMap<String, usize>> = Mutex::default();
    thread::scope(|scope| {
        for first in 0..IN_FLIGHT {
            let (server, stop, ended, costly, hostile) = (&server, &stop, &ended, &costly, &hostile);
            scope.spawn(move || {
                let mut client = Client::new(server.address);
                // Each begins elsewhere and goes its own way round.
                for turn in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let answer = client.send(&check(&costly[(first * 5 + turn * 3) % costly.len()], &[hostile]));
                    let (end, wait) = match answer {
                        Ok(answer) if matches!(answer.status, 429 | 503) => {
                            (answer.status.to_string(), Duration::from_millis(200))
                        }
                        Ok(answer) => (answer.status.to_string(), Duration::ZERO),
                        Err(error) => (format!("error {:?}", error.kind()), Duration::ZERO),
                    };
                    *ended.lock().entry(end).or_default() += 1;
                    thread::sleep(wait);
                }
            });
        }
        thread::sleep(RAMP);
        tell("beside them", answers());
        stop.store(true, Ordering::Relaxed);
    });
    println!("\nThe hostile ones, by status: {:?}.", ended.into_inner());
    println!("Most memory: {:.0} MB.", server.status("VmHWM") * 1024.0 / 1e6);
    println!("Complaints in the log: {:?}", server.complaints());
    Ok(())
}
