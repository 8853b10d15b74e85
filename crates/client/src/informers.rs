//! The informers a component shares among its parts: one per resource, started together.
//! Models client-go/informers' SharedInformerFactory.

use sim::Instant;

use crate::{Cache, Client, Delta, Env, Incoming, Index, Informer, Resource};

/// Informers in the order they were asked for; their numbers serve as tags of calls.
#[derive(Clone, Debug, Default)]
pub struct Informers {
    list: Vec<Informer>,
    nothing: Cache,
}

impl Informers {
    /// None yet.
    #[must_use]
    pub fn new() -> Informers {
        Informers::default()
    }

    /// Makes sure that there is an informer of a resource, over all namespaces, with these indexes.
    /// Returns its number.
    pub fn watch(&mut self, resource: &Resource, indexes: &[Index]) -> usize {
        let number = match self.number(resource) {
            Some(number) => number,
            None => self.add(Informer::new(resource.clone(), "", &[])),
        };
        for index in indexes {
            self.list[number].add_index(*index);
        }
        number
    }

    /// Adds an informer made by the caller and returns its number.
    pub fn add(&mut self, informer: Informer) -> usize {
        self.list.push(informer);
        self.list.len() - 1
    }

    /// The number of a resource's informer.
    #[must_use]
    pub fn number(&self, resource: &Resource) -> Option<usize> {
        self.list
            .iter()
            .position(|informer| informer.resource() == resource)
    }

    /// An informer by its number.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&Informer> {
        self.list.get(number)
    }

    /// What is known of a resource; an empty cache if it is not watched.
    #[must_use]
    pub fn cache(&self, resource: &Resource) -> &Cache {
        self.number(resource)
            .map_or(&self.nothing, |number| self.list[number].cache())
    }

    /// The informers, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Informer> {
        self.list.iter()
    }

    /// Whether every first list is complete.
    #[must_use]
    pub fn have_synced(&self) -> bool {
        self.list.iter().all(Informer::has_synced)
    }

    /// Starts those that are idle. `tag` makes the tag of an informer's calls from its number.
    pub fn start<T>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        tag: impl Fn(usize) -> T,
    ) {
        for (number, informer) in self.list.iter_mut().enumerate() {
            informer.start(env, client, tag(number));
        }
    }

    /// Starts one of them, if it is idle.
    pub fn start_one<T>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        (number, tag): (usize, T),
    ) {
        if let Some(informer) = self.list.get_mut(number) {
            informer.start(env, client, tag);
        }
    }

    /// A resource is served no more: its informer stops, and starts anew should it come back.
    pub fn retire<T>(&mut self, resource: &Resource, client: &mut Client<T>) {
        if let Some(number) = self.number(resource) {
            self.list[number].stop(client);
            self.list[number] = Informer::new(resource.clone(), "", &[]);
        }
    }

    /// Hands one of them a part of an answer. Returns what changed in its cache.
    pub fn on_incoming<T: Clone>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        tag: T,
        (number, incoming): (usize, &Incoming),
    ) -> Vec<Delta> {
        match self.list.get_mut(number) {
            Some(informer) => informer.on_incoming(env, client, tag, incoming),
            None => Vec::new(),
        }
    }

    /// Goes on with those whose back-off is over.
    pub fn on_time<T>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        tag: impl Fn(usize) -> T,
    ) {
        for (number, informer) in self.list.iter_mut().enumerate() {
            informer.on_time(env, client, tag(number));
        }
    }

    /// When `on_time` is to be called at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.list.iter().filter_map(Informer::next_deadline).min()
    }
}
