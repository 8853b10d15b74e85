//! Runs the lifecycle hooks of containers.
//! Models pkg/kubelet/lifecycle/handlers.go.

use std::collections::BTreeMap;

use api::Str;
use machine::Sys;
use sim::Duration;

use crate::cri::{Error, Reply, Request};
use crate::kubelet::State;
use crate::kubelet::due::Due;
use crate::kubelet::probe::ProbeAction;
use crate::kubelet::request::Owner;
use crate::kubelet::runtime::Purpose;
use crate::kubelet::worker::{Hook, Input};

/// Hooks under way; whether the time that was set is how long one sleeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hooks {
    running: BTreeMap<(Str, usize), (Hook, bool)>,
}

impl State {
    /// Runs a hook of a unit, for at most `limit`.
    pub(crate) fn run_hook(
        &mut self,
        sys: &mut Sys<'_>,
        uid: &Str,
        unit: usize,
        hook: Hook,
        limit: Duration,
    ) {
        let Some(entry) = self.pods.get(uid) else {
            return;
        };
        let state = &entry.worker.units[unit];
        let field = if hook == Hook::PostStart {
            "postStart"
        } else {
            "preStop"
        };
        let handler = state.container.object.get("lifecycle").get(field).clone();
        let action = ProbeAction::read(&handler, &state.container.object);
        let id = state.current.as_ref().map(|life| life.id.clone());
        let sleeps = handler
            .at("sleep.seconds")
            .as_i64()
            .and_then(|n| u64::try_from(n).ok());
        self.hooks
            .running
            .insert((uid.clone(), unit), (hook, sleeps.is_some()));
        let wait = sleeps.map_or(limit, |secs| Duration::from_secs(secs).min(limit));
        self.timetable
            .set(Due::Hook(uid.clone(), unit), Some(sys.now() + wait));
        match (action, id) {
            (Some(ProbeAction::Exec(command)), Some(id)) => {
                let request = Request::ExecSync {
                    id,
                    command,
                    timeout: Duration::ZERO,
                };
                let purpose = Purpose::Hook(uid.clone(), unit, hook);
                self.runtime.call(sys, request, purpose, &mut self.heard);
            }
            (Some(action @ (ProbeAction::Http(_) | ProbeAction::Tcp(..))), _) => {
                let ip = self.ip_of(uid);
                self.request(sys, Owner::Hook(uid.clone(), unit), &action, &ip, limit);
            }
            _ if sleeps.is_some() => {}
            _ => self.hook_done(uid, unit, Err("invalid handler".to_owned())),
        }
    }

    /// The runtime has run a hook's command.
    pub(crate) fn hook_answered(
        &mut self,
        uid: &Str,
        unit: usize,
        hook: Hook,
        answer: Result<Reply, Error>,
    ) {
        if self
            .hooks
            .running
            .get(&(uid.clone(), unit))
            .is_none_or(|(known, _)| *known != hook)
        {
            return;
        }
        let result = match answer {
            Ok(Reply::Exec(result)) if result.exit_code == 0 => Ok(()),
            Ok(Reply::Exec(result)) => Err(format!("command exited with {}", result.exit_code)),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        };
        self.hook_done(uid, unit, result);
    }

    /// The time set for a hook has come.
    pub(crate) fn hook_timed_out(&mut self, _sys: &mut Sys<'_>, uid: &Str, unit: usize) {
        let sleeps = self
            .hooks
            .running
            .get(&(uid.clone(), unit))
            .is_some_and(|(_, sleeps)| *sleeps);
        let result = if sleeps {
            Ok(())
        } else {
            Err("context deadline exceeded".to_owned())
        };
        self.hook_done(uid, unit, result);
    }

    /// A hook has come to its end.
    pub(crate) fn hook_done(&mut self, uid: &Str, unit: usize, result: Result<(), String>) {
        if let Some((hook, _)) = self.hooks.running.remove(&(uid.clone(), unit)) {
            self.timetable.set(Due::Hook(uid.clone(), unit), None);
            self.inputs
                .push_back((uid.clone(), Input::HookDone(unit, hook, result)));
        }
    }
}
