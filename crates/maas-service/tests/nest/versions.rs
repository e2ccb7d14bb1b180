use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use maas_service::{
    Compared, InferRequest, Readiness, ServeError, Service, Shadow, Split, Versions,
};

use crate::script::{Gate, Script, ask, block, collect, doubled, panics, poll, wait_until, y};

fn three() -> Versions<Script> {
    let versions = Versions::new("double", "1", Script::doubling());
    versions.add("2", Script::doubling()).unwrap();
    versions.add("3", Script::doubling()).unwrap();
    versions
}

fn version_for(versions: &Versions<Script>, request: InferRequest) -> String {
    let response = block(versions.infer(request)).unwrap();
    response.version.unwrap().to_string()
}

/// Who answers so many requests that ask for no version.
fn shares(versions: &Versions<Script>, requests: usize) -> HashMap<String, usize> {
    let mut shares = HashMap::new();
    for _ in 0..requests {
        *shares.entry(version_for(versions, ask(1.0))).or_default() += 1;
    }
    shares
}

fn expected<const N: usize>(shares: [(&str, usize); N]) -> HashMap<String, usize> {
    shares
        .map(|(version, share)| (version.to_owned(), share))
        .into()
}

#[test]
fn requests_are_divided_by_weight_and_never_in_bursts() {
    let versions = three();
    assert_eq!(shares(&versions, 5), expected([("1", 5)]));
    versions.weigh([("1", 7), ("2", 2), ("3", 1)]).unwrap();
    for _ in 0..20 {
        assert_eq!(
            shares(&versions, 10),
            expected([("1", 7), ("2", 2), ("3", 1)])
        );
    }
    versions.weigh([("3", 1)]).unwrap();
    assert_eq!(shares(&versions, 3), expected([("3", 3)]));
    versions.weigh([]).unwrap();
    let nobody = block(versions.infer(ask(1.0)));
    assert!(matches!(nobody, Err(ServeError::NoneReady { members: 3 })));
    assert_eq!(versions.ready(), Readiness::Down);
}

#[test]
fn a_request_gets_the_version_that_it_asks_for() {
    let versions = three();
    versions.label("canary", "3").unwrap();
    let version = |name: &str| version_for(&versions, ask(1.0).version(name));
    assert_eq!(
        [version("1"), version("2"), version("canary")],
        ["1", "2", "3"]
    );
    versions.label("canary", "2").unwrap();
    assert_eq!(version("canary"), "2");
    versions.label("2", "1").unwrap();
    assert_eq!(version("2"), "2", "a version goes before a label");
    versions.unlabel("canary");
    let Err(ServeError::UnknownVersion { model, version }) =
        block(versions.infer(ask(1.0).version("canary")))
    else {
        panic!("nobody is called so");
    };
    assert_eq!((&*model, &*version), ("double", "canary"));
}

#[test]
fn the_service_of_a_version_is_asked_without_one() {
    let script = Script::new(|request, _| async move {
        assert_eq!(request.version, None);
        Ok(doubled(&request))
    });
    let versions = Versions::new("double", "1", script);
    assert_eq!(version_for(&versions, ask(1.0).version("1")), "1");
    let pieces = collect(versions.answers(ask(1.0).version("1")));
    assert!(
        pieces.len() == 3
            && pieces
                .iter()
                .all(|piece| piece.as_ref().unwrap().version.as_deref() == Some("1"))
    );
    let unknown = collect(versions.answers(ask(1.0).version("9")));
    assert!(matches!(
        unknown[..],
        [Err(ServeError::UnknownVersion { .. })]
    ));
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let versions = three();
    versions.weigh([("1", 1), ("2", 1)]).unwrap();
    let before = versions.versions();
    assert!(matches!(
        versions.add("2", Script::doubling()),
        Err(ServeError::VersionExists { .. })
    ));
    assert!(matches!(
        versions.weigh([("1", 5), ("9", 5)]),
        Err(ServeError::UnknownVersion { .. })
    ));
    assert!(matches!(
        versions.label("x", "9"),
        Err(ServeError::UnknownVersion { .. })
    ));
    assert!(matches!(
        versions.remove("9"),
        Err(ServeError::UnknownVersion { .. })
    ));
    assert!(matches!(
        versions.shadow(Shadow::of("9")),
        Err(ServeError::UnknownVersion { .. })
    ));
    assert_eq!(versions.versions(), before);

    versions.label("stable", "2").unwrap();
    let in_use = versions.remove("2").unwrap_err().to_string();
    assert_eq!(
        in_use,
        "version `2` of model `double` is in use as the label `stable`"
    );
    versions.shadow(Shadow::of("3")).unwrap();
    assert!(
        versions
            .remove("3")
            .unwrap_err()
            .to_string()
            .ends_with("as the shadow")
    );
    versions.unshadow();
    versions.unlabel("stable");
    assert!(versions.remove("2").is_ok() && versions.remove("3").is_ok());
}

#[test]
fn a_removed_version_finishes_what_it_has() {
    let gate = Gate::default();
    let versions = Versions::new("double", "1", Script::gated(&gate));
    versions.add("2", Script::doubling()).unwrap();
    let mut answer = pin!(versions.infer(ask(4.0)));
    let mut given_up = Box::pin(versions.infer(ask(4.0)));
    assert!(poll(answer.as_mut()).is_pending() && poll(given_up.as_mut()).is_pending());
    assert_eq!(versions.versions()[0].in_flight, 2);
    versions.weigh([("2", 1)]).unwrap();
    let mut retired = pin!(versions.remove("1").unwrap());
    assert_eq!(version_for(&versions, ask(1.0)), "2");
    assert!(poll(retired.as_mut()).is_pending());
    drop(given_up);
    assert!(poll(retired.as_mut()).is_pending());
    gate.open();
    let response = block(answer).unwrap();
    assert_eq!(
        (y(&response), response.version.as_deref()),
        (8.0, Some("1"))
    );
    assert!(poll(retired).is_ready());
    versions.remove("2").unwrap().wait();
    assert_eq!(versions.describe().platform, "script");
}

#[test]
fn tenants_and_ids_stay_where_they_are() {
    let versions = Versions::new("double", "1", Script::doubling()).split(Split::ByTenant);
    versions.add("2", Script::doubling()).unwrap();
    versions.weigh([("1", 3), ("2", 1)]).unwrap();
    let of = |tenant: usize| version_for(&versions, ask(1.0).tenant(format!("tenant {tenant}")));
    let homes: Vec<String> = (0..400).map(of).collect();
    assert!((0..400).map(of).eq(homes.iter().cloned()));
    let second = homes.iter().filter(|home| *home == "2").count();
    assert!(
        (60..140).contains(&second),
        "{second} of 400 where a quarter should be"
    );
    // More for the second one: nobody moves to the first one.
    versions.weigh([("1", 1), ("2", 1)]).unwrap();
    assert!(
        (0..400)
            .map(of)
            .zip(&homes)
            .all(|(now, before)| now == "2" || before == "1")
    );
    let drawn = shares(&versions, 400);
    assert!(drawn.values().all(|&share| share > 100), "{drawn:?}");

    let versions = Versions::new("double", "1", Script::doubling()).split(Split::ById);
    versions.add("2", Script::doubling()).unwrap();
    versions.weigh([("1", 1), ("2", 1)]).unwrap();
    let home = version_for(&versions, ask(1.0).id("42"));
    assert!((0..20).all(|_| version_for(&versions, ask(1.0).id("42")) == home));
}

#[test]
fn a_version_that_is_not_ready_is_passed_over_unless_asked_for() {
    let script = Script::doubling();
    let state = script.state();
    let versions = Versions::new("double", "1", script);
    versions.add("2", Script::doubling()).unwrap();
    versions.weigh([("1", 1), ("2", 1)]).unwrap();
    *state.ready.lock().unwrap() = Some(Readiness::Down);
    assert_eq!(shares(&versions, 10), expected([("2", 10)]));
    assert!(versions.ready().is_ready());
    assert_eq!(version_for(&versions, ask(1.0).version("1")), "1");
}

#[test]
fn nothing_is_lost_while_versions_come_and_go() {
    let versions = Arc::new(three());
    versions.weigh([("1", 1), ("2", 1), ("3", 1)]).unwrap();
    versions.label("stable", "1").unwrap();
    let done = AtomicBool::new(false);
    let answered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for label in [None, Some("stable")] {
            let (versions, done, answered) = (&versions, &done, &answered);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let mut request = ask(3.0);
                    request.version = label.map(Into::into);
                    assert_eq!(y(&block(versions.infer(request)).unwrap()), 6.0);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 4..300 {
            let (old, new) = ((round - 3).to_string(), round.to_string());
            versions.add(new.as_str(), Script::doubling()).unwrap();
            versions.label("stable", &new).unwrap();
            let weights: Vec<String> = (round - 2..=round)
                .map(|version| version.to_string())
                .collect();
            versions
                .weigh(weights.iter().map(|version| (version.as_str(), 1)))
                .unwrap();
            versions.remove(&old).unwrap().wait();
        }
        wait_until(|| answered.load(Ordering::Relaxed) > 100);
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(versions.versions().len(), 3);
    assert_eq!(versions.load().in_flight, 0);
}

#[test]
fn a_shadow_gets_its_share_evenly() {
    let shadow = Script::doubling();
    let state = shadow.state();
    let versions = Versions::new("double", "1", Script::doubling());
    versions.add("2", shadow).unwrap();
    versions.shadow(Shadow::of("2").share(0.25)).unwrap();
    for round in 1..=5 {
        shares(&versions, 8);
        wait_until(|| state.asked() == 2 * round);
    }
    wait_until(|| versions.load().in_flight == 0);
    versions.shadow(Shadow::of("2").share(0.0)).unwrap();
    shares(&versions, 8);
    versions.shadow(Shadow::of("2")).unwrap();
    version_for(&versions, ask(1.0).version("2"));
    wait_until(|| versions.load().in_flight == 0);
    assert_eq!(state.asked(), 11, "its own requests are no copies");
    assert!(versions.versions()[1].shadow);
}

#[test]
fn both_answers_are_compared() {
    let wrong = Script::new(|mut request, _| async move {
        request.inputs[0] = ask(10.0).inputs.remove(0);
        Ok(doubled(&request))
    });
    let versions = Versions::new("double", "1", Script::doubling());
    versions.add("2", wrong).unwrap();
    let seen = Arc::<Mutex<Vec<(f32, f32)>>>::default();
    let writer = Arc::clone(&seen);
    let compare = move |compared: &Compared| {
        assert_eq!(compared.request.id.as_deref(), Some("a"));
        let shadow = compared.shadow.as_ref().unwrap();
        writer
            .lock()
            .unwrap()
            .push((y(&compared.answer), y(shadow)));
    };
    versions.shadow(Shadow::of("2").compare(compare)).unwrap();
    block(versions.infer(ask(1.0).id("a"))).unwrap();
    wait_until(|| *seen.lock().unwrap() == [(2.0, 20.0)]);
}

#[test]
fn a_shadow_neither_delays_nor_fails_the_caller() {
    let gate = Gate::default();
    let silent = Script::gated(&gate);
    let state = silent.state();
    let versions = Versions::new("double", "1", Script::doubling());
    versions.add("silent", silent).unwrap();
    versions.add("panicking", Script::panicking()).unwrap();
    versions
        .add("failing", Script::failing(|| ServeError::Stopped))
        .unwrap();
    versions.shadow(Shadow::of("silent").at_most(3)).unwrap();
    assert_eq!(shares(&versions, 10).len(), 1);
    wait_until(|| state.asked() == 3);
    assert_eq!(versions.versions()[1].in_flight, 3, "no more than three");
    gate.open();
    wait_until(|| versions.load().in_flight == 0);
    assert_eq!(state.asked(), 3);

    for version in ["panicking", "failing"] {
        let seen = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&seen);
        let compare = move |_: &Compared| {
            counter.fetch_add(1, Ordering::SeqCst);
            panic!("as the test wants");
        };
        versions
            .shadow(Shadow::of(version).compare(compare))
            .unwrap();
        shares(&versions, 5);
        wait_until(|| versions.load().in_flight == 0);
        wait_until(|| seen.load(Ordering::SeqCst) == if version == "failing" { 5 } else { 0 });
    }
    // The thread is still there.
    versions.shadow(Shadow::of("silent")).unwrap();
    shares(&versions, 1);
    wait_until(|| state.asked() == 4);
}

#[test]
fn a_caller_who_fails_or_gives_up_is_not_compared() {
    let gate = Gate::default();
    let versions = Versions::new("double", "failing", Script::failing(|| ServeError::Stopped));
    versions.add("gated", Script::gated(&gate)).unwrap();
    let shadow = Script::doubling();
    let state = shadow.state();
    versions.add("2", shadow).unwrap();
    versions
        .shadow(Shadow::of("2").compare(|_| panic!("there is nothing to compare")))
        .unwrap();
    assert!(block(versions.infer(ask(1.0))).is_err());
    let mut answer = Box::pin(versions.infer(ask(1.0).version("gated")));
    assert!(poll(answer.as_mut()).is_pending());
    drop(answer);
    wait_until(|| state.dropped() == 2 && versions.load().in_flight == 0);
}

#[test]
fn a_spawner_of_ones_own_runs_shadows_and_may_fail() {
    let spawned = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&spawned);
    let versions = Versions::new("double", "1", Script::doubling()).spawn_by(move |run| {
        assert!(
            counter.fetch_add(1, Ordering::SeqCst) == 0,
            "as the test wants"
        );
        block(run);
    });
    let shadow = Script::doubling();
    let state = shadow.state();
    versions.add("2", shadow).unwrap();
    versions.shadow(Shadow::of("2").at_most(1)).unwrap();
    assert_eq!(shares(&versions, 3), expected([("1", 3)]));
    assert_eq!((spawned.load(Ordering::SeqCst), state.asked()), (3, 1));
}

#[test]
fn a_panic_leaves_the_others_alone() {
    let versions = Versions::new("double", "1", Script::panicking());
    versions.add("2", Script::doubling()).unwrap();
    assert!(panics(|| drop(block(versions.infer(ask(1.0))))));
    assert_eq!(versions.load().in_flight, 0);
    assert_eq!(version_for(&versions, ask(1.0).version("2")), "2");
    versions.remove("1").unwrap().wait();
}

#[test]
fn another_service_takes_a_versions_place() {
    let versions = three();
    versions.label("stable", "1").unwrap();
    versions.shadow(Shadow::of("2")).unwrap();
    let gate = Gate::default();
    let before = Script::gated(&gate);
    versions.replace("1", before).unwrap().wait();
    let mut waiting = pin!(versions.infer(ask(1.0).version("stable")));
    assert!(poll(waiting.as_mut()).is_pending());
    let retired = versions.replace("1", Script::doubling()).unwrap();
    assert_eq!(version_for(&versions, ask(1.0)), "1");
    gate.open();
    assert!(poll(waiting.as_mut()).is_ready());
    retired.wait();
    versions.replace("2", Script::doubling()).unwrap().wait();
    let status = versions.version("2").unwrap();
    assert!(status.shadow && status.weight == 0);
    assert!(matches!(
        versions.replace("4", Script::doubling()),
        Err(ServeError::UnknownVersion { .. })
    ));
}

#[test]
fn only_versions_that_share_requests_are_alike() {
    let versions = three();
    versions.add("wide", Script::wide()).unwrap();
    let refused = |result: Result<(), ServeError>| matches!(result, Err(ServeError::DifferentSignatures { name }) if name == "wide");
    assert!(refused(versions.weigh([("1", 1), ("wide", 1)])));
    assert!(refused(versions.shadow(Shadow::of("wide"))));
    assert_eq!(shares(&versions, 2), expected([("1", 2)]));
    versions.weigh([("wide", 1)]).unwrap();
    let described = versions.describe();
    assert_eq!(described, versions.version("wide").unwrap().description);
    assert!(matches!(
        versions.replace("wide", Script::doubling()).map(drop),
        Ok(())
    ));
}
