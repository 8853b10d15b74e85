//! A session in a real lab: through a step, saved, and made again from what was saved.
#![allow(clippy::disallowed_methods, reason = "the files are this test's data")]

use std::path::Path;
use std::rc::Rc;

use kubarium_lesson::{Happening, Phase, Session, parse};
use lab::{Input, Lab};
use sim::Duration;

fn session() -> Session<Lab> {
    let file = "tests/data/proven/deployment.yaml";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(path).expect("text");
    let lesson = parse(file, &text).unwrap_or_else(|problems| panic!("{}", problems[0]));
    let lab = Lab::new(lesson.world.clone()).expect("a sound world");
    Session::new(Rc::new(lesson), lab)
}

fn pass(session: &mut Session<Lab>, seconds: u64) -> Vec<Happening> {
    let end = session.stage().now() + Duration::from_secs(seconds);
    let mut news = Vec::new();
    while session.stage().now() < end {
        let next = end.min(session.stage().now() + Duration::from_millis(100));
        session.advance(next, u64::MAX);
        news.extend(session.look());
    }
    news
}

fn run(session: &mut Session<Lab>, command: &str) {
    let input = Input::Run {
        machine: "controlplane".into(),
        command: command.into(),
    };
    session.apply(input).expect("the machine is there");
}

#[test]
fn a_saved_session_is_the_same_session() {
    let mut session = session();
    while session.is_preparing() {
        pass(&mut session, 1);
    }
    assert_eq!(session.phase(), &Phase::Learning);
    assert_eq!(
        session.steps()[0].seen[0].saw,
        "there is no Deployment default/web"
    );
    run(
        &mut session,
        "kubectl create deployment web --image=nginx --replicas=3",
    );
    assert_eq!(pass(&mut session, 30), [Happening::StepDone(0)]);
    let mut branch = session.stage().clone();
    let pod = branch
        .objects()
        .list("pods")
        .into_iter()
        .find(|pod| pod.label("app") == "web");
    let pod = pod.expect("the Deployment made it");
    let echo = branch
        .run_in_pod("default", pod.name(), &"echo hi".into())
        .expect("it has an address");
    branch.advance(branch.now() + Duration::from_secs(1), u64::MAX);
    assert_eq!(branch.run_result(echo).expect("it ran").stdout, b"hi\n");
    assert!(
        branch
            .run_in_pod("default", "nobody", &"true".into())
            .is_err()
    );

    assert!(session.next_step());
    run(&mut session, "kubectl delete deployment web");
    pass(&mut session, 5);

    let save = session.save();
    let mut again = Session::restore(session.lesson().clone(), &save).expect("its own save");
    assert_eq!((again.current(), again.phase()), (1, &Phase::Learning));
    assert!(again.steps()[0].done && !again.steps()[1].done);
    assert_eq!(again.save(), save);
    let hash = |session: &Session<Lab>| session.stage().world.journal.hash();
    assert_eq!(hash(&again), hash(&session), "both went the same way");

    // Both begin the step again where it began, with the Deployment there.
    for session in [&mut session, &mut again] {
        assert!(session.restart_step(1));
        assert!(
            session
                .stage()
                .objects()
                .get("deployments", "default", "web")
                .is_some()
        );
        run(
            session,
            "kubectl delete \"$(kubectl get pods -l app=web -o name | head -n 1)\"",
        );
        assert_eq!(pass(session, 60), [Happening::StepDone(1)]);
    }
    assert_eq!(hash(&again), hash(&session));

    let mut other = save;
    other.lesson = "tests/other".to_owned();
    assert!(Session::restore(session.lesson().clone(), &other).is_err());
}
