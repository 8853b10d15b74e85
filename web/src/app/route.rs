//! Where in the page one is. The address after `#` says it, so links and reloads work anywhere.

use crate::protocol::Place;

/// A view of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The list of lessons.
    Home,
    /// At work.
    Work(Place),
}

impl Route {
    /// The route an address names; an unknown one is home.
    pub fn parse(hash: &str) -> Route {
        let path = hash.trim_matches('/');
        match path.split_once('/') {
            Some(("lesson", id)) if is_lesson_id(id) => Route::Work(Place::Lesson(id.to_owned())),
            None if path == "sandbox" => Route::Work(Place::Sandbox),
            _ => Route::Home,
        }
    }

    /// The address of this route.
    pub fn hash(&self) -> String {
        match self {
            Route::Home => "/".to_owned(),
            Route::Work(Place::Sandbox) => "/sandbox".to_owned(),
            Route::Work(Place::Lesson(id)) => format!("/lesson/{id}"),
        }
    }
}

fn is_lesson_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let part = |part: &str| !part.is_empty() && part.chars().all(plain);
    id.split_once('/')
        .is_some_and(|(track, name)| part(track) && part(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hash: &str, route: Route) {
        assert_eq!(Route::parse(hash), route);
        assert_eq!(Route::parse(&route.hash()), route);
    }

    #[test]
    fn addresses() {
        let lesson = |id: &str| Route::Work(Place::Lesson(id.to_owned()));
        check("", Route::Home);
        check("/", Route::Home);
        check("/sandbox", Route::Work(Place::Sandbox));
        check("/lesson/basics/01-first", lesson("basics/01-first"));
        check("/lesson/basics", Route::Home);
        check("/lesson/a/b/c", Route::Home);
        check("/lesson/<b>/x", Route::Home);
        check("/elsewhere", Route::Home);
    }
}
