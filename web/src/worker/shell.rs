//! What the worker does with a message: opens rooms and passes the rest on to the one that is open.

use super::catalog;
use super::keep::Kept;
use super::room::Room;
use super::wire::Shell;
use super::world::World;
use crate::protocol::{FromWorker, Input, Place, Speed, ToWorker, Watched};
use crate::services::clock::Clock;

/// What is made again from a save: the save, the speed to go on with, and the inputs that came since.
type Restoring = (Kept, Speed, Vec<(u64, Input)>);

/// The worker's state.
#[derive(Debug, Default)]
pub struct LabShell {
    room: Option<Room>,
    /// A save whose world is made in the next turn, so that the page hears of it first.
    restoring: Option<Restoring>,
    /// What was just said has to reach the page before more is done.
    say_first: bool,
    watched: Watched,
    greeted: bool,
    out: Vec<FromWorker>,
}

impl Shell for LabShell {
    fn receive(&mut self, message: ToWorker) {
        match message {
            ToWorker::Open {
                place,
                saved,
                speed,
            } => self.open(place, saved, speed),
            ToWorker::Input { number, input } => match (&mut self.room, &mut self.restoring) {
                (Some(room), _) => room.input(number, input),
                (None, Some((.., waiting))) => waiting.push((number, input)),
                (None, None) => {}
            },
            ToWorker::SetSpeed(speed) => {
                if let Some(room) = &mut self.room {
                    room.set_speed(speed);
                }
            }
            ToWorker::Step => {
                if let Some(room) = &mut self.room {
                    room.step();
                }
            }
            ToWorker::Watch(watched) => {
                self.watched = watched;
                if let Some(room) = &mut self.room {
                    room.watch(watched);
                }
            }
            ToWorker::Ask { from, to, udp } => {
                if let Some(room) = &mut self.room {
                    room.ask(&from, &to, udp);
                }
            }
        }
    }

    fn work(&mut self, clock: &dyn Clock) -> Option<u32> {
        if !self.greeted {
            self.greeted = true;
            let (tracks, wrong) = catalog::tracks();
            self.out.push(FromWorker::Hello { tracks });
            self.out.extend(wrong.into_iter().map(FromWorker::Notice));
        }
        if std::mem::take(&mut self.say_first) {
            return Some(0);
        }
        if let Some((kept, speed, waiting)) = self.restoring.take() {
            self.restore(kept, speed, waiting);
        }
        self.room.as_mut()?.work(clock)
    }

    fn say(&mut self) -> Vec<FromWorker> {
        let mut said = std::mem::take(&mut self.out);
        if let Some(room) = &mut self.room {
            said.extend(room.say());
        }
        said
    }
}

impl LabShell {
    fn open(&mut self, place: Place, saved: Option<Vec<u8>>, speed: Speed) {
        self.room = None;
        self.restoring = None;
        match saved.map(|blob| Kept::decode(&blob)).transpose() {
            Err(why) => self.out.push(FromWorker::SaveRefused { why }),
            Ok(Some(kept)) if kept.place != place => {
                let why = "The save belongs to another place.".to_owned();
                self.out.push(FromWorker::SaveRefused { why });
            }
            Ok(Some(kept)) => {
                let doing = "Going on where you were".to_owned();
                self.out.push(FromWorker::Progress { doing, at: kept.at });
                self.restoring = Some((kept, speed, Vec::new()));
                self.say_first = true;
            }
            Ok(None) => match make(&place, None) {
                Ok(world) => {
                    self.room = Some(Room::new(place, world, false, speed, self.watched));
                }
                Err(why) => self.out.push(FromWorker::CannotOpen { why }),
            },
        }
    }

    fn restore(&mut self, kept: Kept, speed: Speed, waiting: Vec<(u64, Input)>) {
        let place = kept.place.clone();
        match make(&place, Some(kept)) {
            Ok(world) => {
                let mut room = Room::new(place, world, true, speed, self.watched);
                for (number, input) in waiting {
                    room.input(number, input);
                }
                self.room = Some(room);
            }
            Err(why) => self.out.push(FromWorker::SaveRefused { why }),
        }
    }
}

fn make(place: &Place, kept: Option<Kept>) -> Result<World, String> {
    let lesson = match place {
        Place::Sandbox => None,
        Place::Lesson(id) => Some(catalog::read(id)?),
    };
    World::new(lesson, kept)
}
