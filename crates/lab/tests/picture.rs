//! The picture tells what processes do even when the API server does not, and that etcd went back.

use kubarium_lab::views::{PictureReader, PictureView};
use kubarium_lab::{Input, Lab, WorldSpec};
use sim::Duration;

struct Watched {
    lab: Lab,
    reader: PictureReader,
    last: PictureView,
}

impl Watched {
    fn new() -> Watched {
        let mut lab = Lab::new(WorldSpec::preset("default", 1).unwrap()).unwrap();
        lab.boot().unwrap();
        let mut reader = PictureReader::default();
        let last = reader.read(&lab).unwrap();
        Watched { lab, reader, last }
    }

    /// Runs commands on the control plane's machine, looking at the picture all the time.
    fn run(&mut self, command: &str, secs: u64) {
        let input = Input::Run {
            machine: "controlplane".into(),
            command: command.into(),
        };
        self.lab.apply(input).unwrap();
        for _ in 0..secs * 10 {
            let until = self.lab.now() + Duration::from_millis(100);
            self.lab.advance(until, u64::MAX);
            if let Some(view) = self.reader.read(&self.lab) {
                self.last = view;
            }
        }
    }

    fn started(&self, part: &str) -> Option<sim::Instant> {
        let parts = &self.last.machines[0].components;
        parts
            .iter()
            .find(|known| known.name == part)
            .unwrap()
            .started
    }
}

#[test]
fn a_part_that_stops_is_seen_without_an_api_server() {
    let mut world = Watched::new();
    let before = world.started("kube-apiserver");
    assert!(before.is_some());
    assert!(world.started("kubelet").is_some());
    world.run("mv /etc/kubernetes/manifests/kube-apiserver.yaml .", 60);
    assert_eq!(world.started("kube-apiserver"), None);
    world.run("mv kube-apiserver.yaml /etc/kubernetes/manifests/", 60);
    assert!(world.started("kube-apiserver") > before);
    assert!(world.reader.read(&world.lab).is_none(), "no news");
}

#[test]
fn an_etcd_that_goes_back_is_told() {
    let mut world = Watched::new();
    world.run("cp -r /var/lib/etcd old; kubectl create namespace lost", 10);
    assert_eq!(world.last.fell_from, None);
    let before = world.last.revision;
    let restore = "mkdir m; mv /etc/kubernetes/manifests/*.yaml m/; sleep 40; rm -r /var/lib/etcd; \
                   cp -r old /var/lib/etcd; mv m/*.yaml /etc/kubernetes/manifests/";
    world.run(restore, 120);
    assert!(
        world.last.fell_from >= Some(before),
        "{:?}",
        world.last.fell_from
    );
    assert!(
        world
            .last
            .services
            .iter()
            .any(|service| service.name == "kubernetes")
    );
    assert!(
        !world
            .lab
            .objects()
            .list("namespaces")
            .iter()
            .any(|n| n.name() == "lost")
    );
}
