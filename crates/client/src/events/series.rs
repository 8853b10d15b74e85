//! Repeats of the new style of events: the first is written, the second starts a series, further
//! ones are counted and written only now and then.
//! Models client-go/tools/events/event_broadcaster.go.

use api::Str;
use imbl::OrdMap;
use sim::{Duration, Instant};

use super::{EventType, Involved, Occurrence};

/// A series that was silent for so long is over; one that goes on is written this often.
const FINISH: Duration = Duration::from_secs(360);
const REFRESH: Duration = Duration::from_secs(1800);

/// An event to be written.
#[derive(Clone, Debug)]
pub(super) struct Repeated {
    pub(super) name: Str,
    pub(super) first: Instant,
    pub(super) count: i64,
    last: Instant,
    written: Instant,
}

/// Events equal in all but time and message are one series.
type SeriesKey = (Involved, EventType, Str, Str);

/// The series that go on.
#[derive(Clone, Debug, Default)]
pub(super) struct SeriesCache {
    series: OrdMap<SeriesKey, Repeated>,
    swept: Instant,
}

impl SeriesCache {
    /// The event to write for an occurrence, if one is to be written now.
    pub(super) fn repeated(&mut self, now: Instant, o: &Occurrence, name: Str) -> Option<Repeated> {
        self.sweep(now);
        let key = (
            o.involved.clone(),
            o.event_type,
            o.reason.clone(),
            o.action.clone(),
        );
        let mut repeated = match self.series.get(&key) {
            Some(known) => Repeated {
                count: known.count + 1,
                last: now,
                ..known.clone()
            },
            None => Repeated {
                name,
                first: now,
                count: 1,
                last: now,
                written: now,
            },
        };
        let write = repeated.count <= 2 || now.since(repeated.written) >= REFRESH;
        if write {
            repeated.written = now;
        }
        self.series.insert(key, repeated.clone());
        write.then_some(repeated)
    }

    fn sweep(&mut self, now: Instant) {
        if now.since(self.swept) >= FINISH {
            self.swept = now;
            self.series = self
                .series
                .iter()
                .filter(|(_, repeated)| now.since(repeated.last) < FINISH)
                .map(|(key, repeated)| (key.clone(), repeated.clone()))
                .collect();
        }
    }
}
