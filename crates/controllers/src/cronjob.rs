//! Starts a Job each time a CronJob's schedule says so, and clears away those that are over.
//! Models pkg/controller/cronjob/cronjob_controllerv2.go.

use api::kinds::support::cron::Schedule;
use api::kinds::support::time_zone::TimeZone;
use api::{Value, object};
use client::request::Propagation;
use client::{CRON_JOBS, DeleteOptions, Delta, Index, Involved, JOBS, Key, Resource};
use sim::{Duration, Instant};

use crate::controller::{Agenda, Controller, Cx, Saying};
use crate::job::ended;

mod job;
mod past;

use past::Past;

/// Syncs come a little after the time, so that they are never early.
const DELTA: Duration = Duration::from_millis(100);

/// The controller.
#[derive(Clone, Debug, Default)]
pub struct CronJobController;

impl Controller for CronJobController {
    fn name(&self) -> &'static str {
        "cronjob-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(CRON_JOBS, &[]), (JOBS, &[Index::Owner])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource == CRON_JOBS {
            agenda.add(delta.key.clone());
            return;
        }
        for job in [&delta.old, &delta.new].into_iter().flatten() {
            let owner = job.controller().filter(|o| o.str("kind") == "CronJob");
            if let Some(owner) = owner {
                agenda.add(Key::new(&delta.key.namespace, owner.str("name")));
            }
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(cron) = cx.cache(&CRON_JOBS).get(key).cloned() else {
            return;
        };
        let jobs: Vec<Value> = cx
            .cache(&JOBS)
            .by(Index::Owner, cron.uid())
            .filter(|job| job.is_controlled_by(cron.uid()))
            .cloned()
            .collect();
        let mut turn = Turn {
            involved: Involved::of(&CRON_JOBS, &cron),
            wanted: cron.clone(),
            cron,
            jobs,
        };
        turn.look(cx);
        if !turn.cron.is_terminating() {
            turn.start(cx);
        }
        turn.clear(cx);
        let Turn { cron, wanted, .. } = turn;
        if !wanted.get("status").same(cron.get("status")) {
            cx.update_status(&CRON_JOBS, wanted);
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

/// One sync of a CronJob.
struct Turn {
    cron: Value,
    /// With the status it is to have.
    wanted: Value,
    involved: Involved,
    jobs: Vec<Value>,
}

impl Turn {
    fn active(&self) -> &[Value] {
        self.wanted.list_at("status.active")
    }

    fn is_active(&self, uid: &str) -> bool {
        self.active().iter().any(|job| job.str("uid") == uid)
    }

    fn set_active(&mut self, active: Vec<Value>) {
        self.wanted
            .set_or_remove("status.active", Value::list_of(active));
    }

    fn drop_active(&mut self, uid: &str) {
        let mut active = self.active().to_vec();
        active.retain(|job| job.str("uid") != uid);
        self.set_active(active);
    }

    /// Takes in what became of the Jobs.
    fn look(&mut self, cx: &mut Cx<'_>) {
        for job in self.jobs.clone() {
            let known = self.is_active(job.uid());
            match ended(&job) {
                None if known || job.is_terminating() => {}
                None => self.take_up(cx, &job),
                Some(condition) => {
                    if known {
                        self.drop_active(job.uid());
                        let name = job.name();
                        let text = format!("Saw completed job: {name}, condition: {condition}");
                        let event = Saying::normal(&self.involved, "SawCompletedJob", text);
                        cx.event(event);
                    }
                    let done = job.str_at("status.completionTime");
                    if condition == "Complete" && done > self.last_success() {
                        self.wanted.set("status.lastSuccessfulTime", done);
                    }
                }
            }
        }
        for gone in self.active().to_vec() {
            if !self.jobs.iter().any(|job| job.uid() == gone.str("uid")) {
                self.drop_active(gone.str("uid"));
                let text = format!("Active job went missing: {}", gone.str("name"));
                cx.event(Saying::normal(&self.involved, "MissingJob", text));
            }
        }
    }

    fn last_success(&self) -> &str {
        self.wanted.str_at("status.lastSuccessfulTime")
    }

    /// A Job that works and does not stand in the status: it was started just now, or by another.
    fn take_up(&mut self, cx: &mut Cx<'_>, job: &Value) {
        let Some(scheduled) = job::scheduled(&self.cron, job) else {
            let name = job.name();
            let text = format!("Saw a job that the controller did not create or forgot: {name}");
            cx.event(Saying::warning(&self.involved, "UnexpectedJob", text));
            return;
        };
        let mut active = self.active().to_vec();
        active.push(object! {
            "apiVersion": &*JOBS.api_version,
            "kind": &*JOBS.kind,
            "name": (job.name()),
            "namespace": (job.namespace()),
            "resourceVersion": (job.resource_version()),
            "uid": (job.uid()),
        });
        self.set_active(active);
        let scheduled = scheduled.rfc3339();
        if *scheduled > *self.wanted.str_at("status.lastScheduleTime") {
            self.wanted.set("status.lastScheduleTime", scheduled);
        }
    }

    /// Starts what is due, and says when to look again.
    fn start(&mut self, cx: &mut Cx<'_>) {
        let spec = self.cron.get("spec").clone();
        if spec.bool_at("suspend") {
            return;
        }
        let schedule = match self.schedule(&spec) {
            Ok(schedule) => schedule,
            Err(text) => {
                let shown = api::go::quote(spec.str("schedule"));
                let text = format!("unparseable schedule: {shown} : {text}");
                cx.event(Saying::warning(&self.involved, "UnparseableSchedule", text));
                return;
            }
        };
        let past = match Past::of(&self.wanted, &schedule, cx.now, true) {
            Ok(past) => past,
            Err(text) => {
                let text = format!("invalid schedule: {} : {text}", spec.str("schedule"));
                cx.event(Saying::warning(&self.involved, "InvalidSchedule", text));
                return;
            }
        };
        if past.too_many {
            let text = "too many missed start times. Set or decrease \
                        .spec.startingDeadlineSeconds or check clock skew";
            cx.event(Saying::warning(&self.involved, "TooManyMissedTimes", text));
        }
        if let Some(wait) = past::until_next(&self.wanted, &schedule, cx.now) {
            cx.requeue_after(wait + DELTA);
        }
        if let Some(due) = past.due {
            self.start_at(cx, due);
        }
    }

    fn schedule(&self, spec: &Value) -> Result<Schedule, String> {
        let schedule = Schedule::parse(spec.str("schedule"))?;
        Ok(match TimeZone::named(spec.str("timeZone")) {
            Some(zone) => schedule.in_zone(zone),
            None => schedule,
        })
    }

    fn start_at(&mut self, cx: &mut Cx<'_>, due: Instant) {
        let spec = self.cron.get("spec").clone();
        if let Some(secs) = spec.i64_at("startingDeadlineSeconds")
            && due + Duration::from_secs(u64::try_from(secs).unwrap_or(0)) < cx.now
        {
            let date = job::rfc1123(due);
            let text = format!("Missed scheduled time to start a job: {date}");
            cx.event(Saying::warning(&self.involved, "MissSchedule", text));
            return;
        }
        let name = job::name(&self.cron, due);
        let started = self.jobs.iter().any(|job| *job.name() == *name);
        if started || self.wanted.str_at("status.lastScheduleTime") == due.rfc3339() {
            return;
        }
        let active = !self.active().is_empty();
        if active && spec.str("concurrencyPolicy") == "Forbid" {
            let text = "Not starting job because prior execution is running and concurrency \
                        policy is Forbid";
            cx.event(Saying::normal(&self.involved, "JobAlreadyActive", text));
            return;
        }
        if active && spec.str("concurrencyPolicy") == "Replace" {
            for running in self.jobs.clone() {
                if self.is_active(running.uid()) {
                    self.delete(cx, &running);
                }
            }
        }
        let made = Saying::normal(&self.involved, "SuccessfulCreate", "Created job {name}");
        let failed = Saying::warning(
            &self.involved,
            "FailedCreate",
            "Error creating job: {error}",
        );
        cx.create(&JOBS, job::of(&self.cron, due))
            .says(made)
            .laments(failed);
    }

    /// Deletes the oldest of the Jobs that are over, as far as there are more than are to be kept.
    fn clear(&mut self, cx: &mut Cx<'_>) {
        for (limit, condition) in [
            ("spec.successfulJobsHistoryLimit", "Complete"),
            ("spec.failedJobsHistoryLimit", "Failed"),
        ] {
            let Some(limit) = self.cron.i64_at(limit) else {
                continue;
            };
            let over = self.jobs.iter().filter(|job| {
                // One whose pods hold it back is going already.
                ended(job) == Some(condition) && !job.is_terminating()
            });
            let mut over: Vec<Value> = over.cloned().collect();
            over.sort_by_key(|job| {
                let start = job.str_at("status.startTime");
                (start.is_empty(), start.to_owned(), job.name().to_owned())
            });
            let surplus = over
                .len()
                .saturating_sub(usize::try_from(limit).unwrap_or(0));
            for job in &over[..surplus] {
                self.delete(cx, job);
            }
        }
    }

    fn delete(&mut self, cx: &mut Cx<'_>, job: &Value) {
        self.drop_active(job.uid());
        let deleted = format!("Deleted job {}", job.name());
        let failed = "Deleted job: {error}";
        cx.delete(
            &JOBS,
            job,
            DeleteOptions::propagating(Propagation::Background),
        )
        .says(Saying::normal(&self.involved, "SuccessfulDelete", deleted))
        .laments(Saying::warning(&self.involved, "FailedDelete", failed));
    }
}

#[cfg(test)]
mod tests;
