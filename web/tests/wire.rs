//! What crosses the wire and what is kept, in a real browser's wasm.
#![cfg(target_arch = "wasm32")]

use kubarium_web::protocol::{
    Asker, Check, CheckState, Choice, Component, Endpoint, Etcd, Event, Fate, FromWorker, Hint,
    Input, LessonView, Machine, Met, Owner, PictureChange, Place, Pod, PodState, Port, Question,
    Request, Service, Slice, Speed, Station, Step, ToWorker, Watched, Way, Writer,
};
use kubarium_web::services::store::{BrowserStore, Store};
use kubarium_web::{codec, save};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn every_message_to_the_worker_survives_the_wire() {
    let keys = Input::Keys {
        terminal: 1,
        bytes: vec![0, 255, b'\r'],
    };
    let text = Some("ümlaut\n\u{1F980}".to_owned());
    let inputs = [
        Input::OpenTerminal {
            machine: "controlplane".to_owned(),
            cols: 80,
            rows: 24,
        },
        Input::CloseTerminal(u32::MAX),
        keys,
        Input::Resize {
            terminal: 2,
            cols: u16::MAX,
            rows: 0,
        },
        Input::EditorClosed {
            request: u64::MAX,
            text,
        },
        Input::EditorClosed {
            request: 0,
            text: None,
        },
        Input::RestartStep,
        Input::RevealHint,
        Input::Answer(1),
        Input::GoToStep(7),
    ];
    let numbered = |(number, input)| ToWorker::Input {
        number: number as u64,
        input,
    };
    let mut messages: Vec<ToWorker> = inputs.into_iter().enumerate().map(numbered).collect();
    messages.push(ToWorker::Open {
        place: Place::Lesson("a/b".to_owned()),
        saved: Some(vec![1; 300]),
        speed: Speed::Max,
    });
    messages.push(ToWorker::SetSpeed(Speed::Times(10)));
    messages.push(ToWorker::Step);
    messages.push(ToWorker::Watch(Watched {
        lesson: true,
        picture: false,
    }));
    messages.push(ToWorker::Ask {
        from: Asker::Pod("shop".to_owned(), "web".to_owned()),
        to: "10.96.0.1:443".to_owned(),
        udp: true,
    });
    for message in messages {
        assert_eq!(codec::decode(&codec::encode(&message)), Ok(message));
    }
}

#[wasm_bindgen_test]
fn views_survive_the_wire() {
    let lesson = LessonView {
        id: "a/b".to_owned(),
        title: "T".to_owned(),
        track: "A".to_owned(),
        steps: vec![Step {
            title: "S".to_owned(),
            done: true,
            open: true,
        }],
        current: 0,
        taken: 0,
        text: "*text*".to_owned(),
        question: Some(Question {
            text: "why".to_owned(),
            choices: vec![Choice {
                text: "so".to_owned(),
                correct: true,
                feedback: String::new(),
            }],
            chosen: Some(0),
        }),
        checks: vec![Check {
            label: "c".to_owned(),
            state: CheckState::Failed,
            saw: "nothing".to_owned(),
        }],
        mistakes: vec!["m".to_owned()],
        hints: vec![Hint {
            text: "h".to_owned(),
        }],
        hints_total: 2,
        step_done: false,
        finished: false,
        debrief: String::new(),
    };
    let message = FromWorker::Lesson(Box::new(lesson));
    assert_eq!(codec::decode(&codec::encode(&message)), Ok(message));

    let change = PictureChange {
        reset: true,
        machines: vec![Machine {
            name: "node01".to_owned(),
            role: "worker".to_owned(),
            ip: "172.30.2.2".to_owned(),
            ready: true,
            schedulable: false,
            version: "v1.36.2".to_owned(),
            cpu_requested: u64::MAX,
            cpu_total: 4000,
            memory_requested: 0,
            memory_total: 8 << 30,
            pods_total: 110,
            taints: vec!["a=b:NoSchedule".to_owned()],
            components: vec![Component {
                name: "etcd".to_owned(),
                started: Some(u64::MAX),
            }],
        }],
        machines_gone: vec!["node02".to_owned()],
        pods: vec![Pod {
            uid: "u".to_owned(),
            namespace: "n".to_owned(),
            name: "p".to_owned(),
            node: None,
            status: "Pending".to_owned(),
            state: PodState::Unscheduled,
            ready: 0,
            containers: 2,
            restarts: 3,
            ip: String::new(),
            owner: Some(Owner {
                kind: "ReplicaSet".to_owned(),
                name: "r".to_owned(),
            }),
            images: vec!["nginx".to_owned()],
            is_static: false,
            why: "0/3 nodes are available".to_owned(),
        }],
        pods_gone: vec!["v".to_owned()],
        services: vec![service()],
        services_gone: vec!["w".to_owned()],
        etcd: Some(Etcd {
            revision: 3,
            fell_from: Some(i64::MAX),
        }),
        events: vec![Event {
            uid: "e".to_owned(),
            at: 1,
            unix_secs: -1,
            warning: true,
            reason: "FailedScheduling".to_owned(),
            message: "m".to_owned(),
            kind: "Pod".to_owned(),
            namespace: "n".to_owned(),
            name: "p".to_owned(),
            count: 2,
        }],
    };
    let message = FromWorker::Picture(Box::new(change));
    assert_eq!(codec::decode(&codec::encode(&message)), Ok(message));
}

fn service() -> Service {
    Service {
        uid: "s".to_owned(),
        namespace: "n".to_owned(),
        name: "web".to_owned(),
        kind: "NodePort".to_owned(),
        cluster_ip: "10.96.0.5".to_owned(),
        selector: "app=web".to_owned(),
        ports: vec![Port {
            port: 80,
            node_port: 30080,
            protocol: "TCP".to_owned(),
        }],
        slices: vec![Slice {
            name: "web-abc12".to_owned(),
            endpoints: vec![Endpoint {
                address: "10.244.1.5:8080".to_owned(),
                ready: false,
                pod: "web-1".to_owned(),
                node: String::new(),
            }],
        }],
    }
}

#[wasm_bindgen_test]
fn ways_survive_the_wire() {
    let met = |text: Option<&str>, writer| Met {
        table: "nat".to_owned(),
        chain: "KUBE-SERVICES".to_owned(),
        number: 3,
        text: text.map(str::to_owned),
        made: Some("1.2.3.4:5 > 6.7.8.9:10".to_owned()),
        writer,
    };
    let of_service = Writer::Service {
        namespace: "n".to_owned(),
        name: "web".to_owned(),
        endpoint: Some("10.244.1.5:8080".to_owned()),
    };
    let station = Station {
        machine: "node01".to_owned(),
        netns: "cni-1".to_owned(),
        pod: Some(("n".to_owned(), "p".to_owned())),
        inbound: None,
        outbound: Some("eth0".to_owned()),
        did: "sent by eth0".to_owned(),
        route: Some("default via 10.244.1.1".to_owned()),
        rules: vec![
            met(None, None),
            met(Some("-A x"), Some(Writer::EveryService)),
            met(Some("-A y"), Some(of_service)),
        ],
        before: "a".to_owned(),
        after: "b".to_owned(),
    };
    let request = Request {
        id: u64::MAX,
        unix_secs: -1,
        command: "curl web".to_owned(),
        service: Some(("n".to_owned(), "web".to_owned())),
        times: 2,
        asked: true,
        ways: vec![Way {
            what: "TCP SYN".to_owned(),
            flow: "a > b".to_owned(),
            end: "delivered".to_owned(),
            fate: Fate::Refused,
            stations: vec![station],
        }],
    };
    let messages = [
        FromWorker::Requests {
            reset: true,
            requests: vec![request.clone()],
        },
        FromWorker::Asked(Ok(Box::new(request))),
        FromWorker::Asked(Err("no route".to_owned())),
    ];
    for message in messages {
        assert_eq!(codec::decode(&codec::encode(&message)), Ok(message));
    }
}

#[wasm_bindgen_test]
fn bytes_that_are_no_message_are_an_error_and_no_panic() {
    let good = codec::encode(&ToWorker::SetSpeed(Speed::Paused));
    let longer: Vec<u8> = good.iter().copied().chain([0]).collect();
    for bytes in [&[][..], &[200], &[0, 255, 255, 255, 255, 15], &longer] {
        assert!(codec::decode::<ToWorker>(bytes).is_err(), "{bytes:?}");
    }
}

#[wasm_bindgen_test]
fn a_save_in_the_browsers_storage_comes_back_and_damage_is_told() {
    let store = BrowserStore;
    let blob: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    assert_eq!(store.put("test/save", &save::seal(&blob)), Ok(()));
    let kept = store.get("test/save").expect("it was just put there");
    assert_eq!(save::open(&kept), Ok(blob));
    let damaged = kept.replacen("AAEC", "AAED", 1);
    let told = save::open(&damaged)
        .expect_err("a byte is wrong")
        .to_string();
    assert_eq!(
        told,
        "The save is damaged: its checksum does not match its content."
    );
    store.remove("test/save");
    assert_eq!(store.get("test/save"), None);
}
