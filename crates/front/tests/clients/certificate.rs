//! A user made as on any cluster: a key of their own, a request that somebody approves, a certificate.

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::json;

use crate::{client, serve};

fn request(key: &KeyPair) -> String {
    let mut params = CertificateParams::default();
    let name = &mut params.distinguished_name;
    name.push(DnType::OrganizationName, "devs");
    name.push(DnType::CommonName, "carol");
    let request = params.serialize_request(key).expect("a request");
    request.pem().expect("a text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approved_request_gives_a_certificate_that_opens_the_door() {
    let front = serve(0, false).await;
    let admin = client(&front).await;
    let key = KeyPair::generate().expect("a key");
    let object: CertificateSigningRequest = serde_json::from_value(json!({
        "metadata": { "name": "carol" },
        "spec": {
            "request": lab::base64::encode(request(&key).as_bytes()),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        },
    }))
    .expect("a request");
    let requests: Api<CertificateSigningRequest> = Api::all(admin);
    let params = PostParams::default();
    requests
        .create(&params, &object)
        .await
        .expect("it is taken");
    let approval = json!({ "status": { "conditions": [
        { "type": "Approved", "status": "True", "reason": "Test", "message": "of a test" },
    ] } });
    requests
        .patch_approval("carol", &PatchParams::default(), &Patch::Merge(approval))
        .await
        .expect("it is approved");
    let certificate = |request: Option<&CertificateSigningRequest>| {
        Some(request?.status.as_ref()?.certificate.as_ref()?.0.clone())
    };
    let issued = await_condition(requests, "carol", |request: Option<&_>| {
        certificate(request).is_some()
    });
    let issued = issued.await.expect("it is issued");
    let certificate = certificate(issued.as_ref()).expect("it is there");

    let text = front.kubeconfig();
    let mut config = kube::config::Kubeconfig::from_yaml(text).expect("a kubeconfig");
    let info = config.auth_infos[0].auth_info.as_mut().expect("a user");
    info.client_certificate_data = Some(lab::base64::encode(&certificate));
    let key = lab::base64::encode(key.serialize_pem().as_bytes());
    info.client_key_data = Some(key.into());
    let options = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(config, &options).await;
    let carol = kube::Client::try_from(config.expect("it names everything")).expect("a client");
    let reviews: Api<SelfSubjectReview> = Api::all(carol);
    let review = reviews.create(&params, &SelfSubjectReview::default()).await;
    let status = review.expect("an answer").status.expect("it is filled");
    let user = status.user_info.expect("somebody");
    assert_eq!(user.username.as_deref(), Some("carol"));
    let groups = user.groups.expect("some");
    assert!(groups.iter().any(|group| group == "devs"), "{groups:?}");
    front.stop().await;
}
