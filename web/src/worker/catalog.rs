//! The lessons this page was built with.

use std::rc::Rc;

use lesson::Lesson;

use crate::protocol::{LessonCard, Track};

/// Id (`track/nn-name`), path and text of each, in reading order.
const LESSONS: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/lessons.rs"));

/// Tracks in the order in which they are best taken, and what each is about; others follow by name.
const ORDER: &[(&str, &str)] = &[
    (
        "workloads",
        "The beginning: pods, Deployments, and what keeps them running.",
    ),
    (
        "networking",
        "How a packet finds a pod: Services, DNS, and the rules behind them.",
    ),
    (
        "namespaces",
        "Room for several teams: names, limits, and who may do what.",
    ),
    (
        "upgrades",
        "A cluster made newer while it works: drains, versions, node by node.",
    ),
    (
        "backup",
        "What etcd holds, how it is saved, and how a lost cluster comes back.",
    ),
];

/// Reads a lesson; or says why it cannot be had.
pub fn read(id: &str) -> Result<Rc<Lesson>, String> {
    let (_, path, text) = LESSONS
        .iter()
        .find(|(known, ..)| *known == id)
        .ok_or_else(|| format!("There is no lesson {id}."))?;
    lesson::parse(path, text).map(Rc::new).map_err(|problems| {
        let problems = problems.iter().map(ToString::to_string);
        problems.collect::<Vec<_>>().join("\n")
    })
}

/// All lessons by track, and what is wrong with those that cannot be read.
pub fn tracks() -> (Vec<Track>, Vec<String>) {
    let track = |folder: &str, summary: &str| Track {
        id: folder.to_owned(),
        title: title(folder),
        summary: summary.to_owned(),
        lessons: Vec::new(),
    };
    let mut tracks: Vec<Track> = ORDER.iter().map(|(id, about)| track(id, about)).collect();
    let mut wrong = Vec::new();
    for (id, ..) in LESSONS {
        let lesson = match read(id) {
            Ok(lesson) => lesson,
            Err(why) => {
                wrong.push(why);
                continue;
            }
        };
        let (folder, _) = id.split_once('/').unwrap_or((id, ""));
        let at = tracks.iter().position(|track| track.id == folder);
        let at = at.unwrap_or_else(|| {
            tracks.push(track(folder, ""));
            tracks.len() - 1
        });
        tracks[at].lessons.push(card(id, &lesson));
    }
    tracks.retain(|track| !track.lessons.is_empty());
    (tracks, wrong)
}

fn card(id: &str, lesson: &Lesson) -> LessonCard {
    LessonCard {
        id: id.to_owned(),
        title: lesson.title.to_string(),
        summary: lesson.summary.to_string(),
        minutes: lesson.minutes,
        steps: lesson.steps.len() as u32,
    }
}

/// A folder's name as a title: `first-steps` is `First steps`.
pub fn title(folder: &str) -> String {
    let words = folder.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lesson_can_be_read() {
        let (tracks, wrong) = tracks();
        assert_eq!(wrong, Vec::<String>::new());
        let listed: usize = tracks.iter().map(|track| track.lessons.len()).sum();
        assert_eq!(listed, LESSONS.len());
        assert!(read("no/such").unwrap_err().contains("no/such"));
    }

    #[test]
    fn folders_have_titles() {
        assert_eq!(title("first-steps"), "First steps");
    }
}
