//! How much of what metrics ask for is done at once: within the least and the most, not faster than
//! policies allow, and not down again before a window has passed.
//! Models pkg/controller/podautoscaler/horizontal.go (`normalizeDesiredReplicas`,
//! `normalizeDesiredReplicasWithBehaviors`).

use api::Value;
use sim::{Duration, Instant};

/// `--horizontal-pod-autoscaler-downscale-stabilization`
const DOWN_WINDOW: i64 = 300;
/// Without policies, at most this many at once, or twice as many as there are.
const UP_LEAST: i64 = 4;

/// What was recommended and done lately.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    recommended: Vec<(Instant, i64)>,
    /// Changes in the number of replicas.
    changes: Vec<(Instant, i64)>,
    begun: bool,
}

/// What is to be done.
pub(super) struct Limited {
    pub replicas: i64,
    /// Type, status, reason, message.
    pub conditions: Vec<(&'static str, bool, &'static str, &'static str)>,
}

impl History {
    /// The first number of replicas seen counts as a recommendation.
    pub(super) fn begin(&mut self, now: Instant, current: i64) {
        if !self.begun {
            self.begun = true;
            self.recommended.push((now, current));
        }
    }

    /// Replicas were added or taken away.
    pub(super) fn scaled(&mut self, now: Instant, from: i64, to: i64) {
        self.changes.push((now, to - from));
    }

    /// The least and the most that was recommended within so many seconds, this one included.
    fn within(&self, now: Instant, secs: i64, this: i64, least: bool) -> i64 {
        let from = since(now, secs);
        let recent = self
            .recommended
            .iter()
            .filter(|(at, _)| *at > from || secs == 0 && *at == now);
        let recent = recent.map(|(_, replicas)| *replicas);
        match least {
            true => recent.fold(this, i64::min),
            false => recent.fold(this, i64::max),
        }
    }

    /// Replicas that came (or went) within so many seconds.
    fn changed(&self, now: Instant, secs: i64, up: bool) -> i64 {
        let from = since(now, secs);
        let recent = self.changes.iter().filter(|(at, _)| *at > from);
        let recent = recent.map(|(_, change)| if up { *change } else { -*change });
        recent.map(|change| change.max(0)).sum()
    }

    fn keep(&mut self, now: Instant, replicas: i64) {
        let from = since(now, 3600);
        self.recommended.retain(|(at, _)| *at > from);
        self.changes.retain(|(at, _)| *at > from);
        self.recommended.push((now, replicas));
    }
}

fn since(now: Instant, secs: i64) -> Instant {
    let nanos = u64::try_from(secs)
        .unwrap_or(0)
        .saturating_mul(1_000_000_000);
    Instant::ZERO + Duration::from_nanos(now.as_nanos().saturating_sub(nanos))
}

/// What becomes of a recommendation.
pub(super) fn replicas(
    history: &mut History,
    now: Instant,
    scaler: &Value,
    current: i64,
    proposed: i64,
) -> Limited {
    let behavior = scaler.at("spec.behavior");
    let rules = |direction: &str| behavior.get(direction).clone();
    let (up, down) = (rules("scaleUp"), rules("scaleDown"));
    let window = |rules: &Value, default: i64| {
        let set = rules.i64_at("stabilizationWindowSeconds");
        set.unwrap_or(default)
    };
    // Up to the least that was recommended lately, down to the most.
    let least = history.within(now, window(&up, 0), proposed, true);
    let most = history.within(now, window(&down, DOWN_WINDOW), proposed, false);
    let stable = match behavior.is_null() {
        true => most,
        false => current.clamp(least, most),
    };
    let mut conditions = vec![if stable == proposed {
        let text = "recommended size matches current size";
        ("AbleToScale", true, "ReadyForNewScale", text)
    } else if stable < proposed {
        let text = "recent recommendations were lower than current one, applying the lowest recent \
             recommendation";
        ("AbleToScale", true, "ScaleUpStabilized", text)
    } else {
        let text = "recent recommendations were higher than current one, applying the highest recent \
             recommendation";
        ("AbleToScale", true, "ScaleDownStabilized", text)
    }];
    let floor = scaler.i64_at("spec.minReplicas").unwrap_or(1);
    let ceiling = scaler.i64_at("spec.maxReplicas").unwrap_or(1);
    let (limited, reason, text) = if behavior.is_null() {
        by_default(current, stable, floor, ceiling)
    } else {
        by_policies(
            history,
            now,
            (&up, &down),
            current,
            stable,
            (floor, ceiling),
        )
    };
    conditions.push(("ScalingLimited", limited != stable, reason, text));
    history.keep(now, proposed);
    Limited {
        replicas: limited,
        conditions,
    }
}

type Verdict = (i64, &'static str, &'static str);

const WITHIN: (&str, &str) = (
    "DesiredWithinRange",
    "the desired count is within the acceptable range",
);
const FEW: (&str, &str) = (
    "TooFewReplicas",
    "the desired replica count is less than the minimum replica count",
);
const MANY: (&str, &str) = (
    "TooManyReplicas",
    "the desired replica count is more than the maximum replica count",
);
const FAST_UP: (&str, &str) = (
    "ScaleUpLimit",
    "the desired replica count is increasing faster than the maximum scale rate",
);
const FAST_DOWN: (&str, &str) = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
);

fn by_default(current: i64, wanted: i64, floor: i64, ceiling: i64) -> Verdict {
    let limit = (2 * current).max(UP_LEAST);
    let (allowed, why) = if ceiling > limit {
        (limit, FAST_UP)
    } else {
        (ceiling, MANY)
    };
    if wanted < floor {
        (floor, FEW.0, FEW.1)
    } else if wanted > allowed {
        (allowed, why.0, why.1)
    } else {
        (wanted, WITHIN.0, WITHIN.1)
    }
}

fn by_policies(
    history: &History,
    now: Instant,
    (up, down): (&Value, &Value),
    current: i64,
    wanted: i64,
    (floor, ceiling): (i64, i64),
) -> Verdict {
    if wanted > current {
        let limit = rate(history, now, up, current, true).max(current);
        let (allowed, why) = if ceiling > limit {
            (limit, FAST_UP)
        } else {
            (ceiling, MANY)
        };
        if wanted > allowed {
            return (allowed, why.0, why.1);
        }
    } else if wanted < current {
        let limit = rate(history, now, down, current, false).min(current);
        let (allowed, why) = if floor < limit {
            (limit, FAST_DOWN)
        } else {
            (floor, FEW)
        };
        if wanted < allowed {
            return (allowed, why.0, why.1);
        }
    }
    (wanted, WITHIN.0, WITHIN.1)
}

/// The number of replicas that the policies of one direction allow.
fn rate(history: &History, now: Instant, rules: &Value, current: i64, up: bool) -> i64 {
    let select = rules.str("selectPolicy");
    if select == "Disabled" {
        return current;
    }
    let allowed = rules.list_at("policies").iter().map(|policy| {
        let secs = policy.i64_at("periodSeconds").unwrap_or(15);
        let done = history.changed(now, secs, up);
        let amount = policy.i64_at("value").unwrap_or(0);
        let share = policy.str("type") == "Percent";
        if up {
            let start = current - done;
            match share {
                true => {
                    (start * (100 + amount)).div_euclid(100)
                        + i64::from((start * amount) % 100 != 0)
                }
                false => start + amount,
            }
        } else {
            let start = current + done;
            match share {
                true => (start * (100 - amount)).div_euclid(100),
                false => start - amount,
            }
        }
    });
    let most_change = (select == "Min") != up;
    let chosen = match most_change {
        true => allowed.max(),
        false => allowed.min(),
    };
    chosen.unwrap_or(current)
}
