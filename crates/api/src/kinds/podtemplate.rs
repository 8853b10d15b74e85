//! PodTemplate: a pod's description, kept for later.
//!
//! Models pkg/registry/core/podtemplate and `printPodTemplate`.

use super::Kind;
use super::pod::template;
use super::table::{self, Column};
use crate::field::Path;

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "podtemplates",
    singular: "podtemplate",
    schema: "io.k8s.api.core.v1.PodTemplate",
    storage: "podtemplates",
    counts_generation: true,
    defaults: |object| template::defaults(object.at_mut("template")),
    validate: |object, out| template::validate(object.get("template"), &Path::new("template"), out),
    columns: &[
        Column::NAME,
        Column::text("Containers"),
        Column::text("Images"),
        Column::text("Pod Labels"),
    ],
    row: |object, _| {
        let template = object.get("template");
        let [names, images] = table::containers(template);
        let labels = table::labels(template.labels());
        vec![table::name(object), names, images, labels]
    },
    sample: "
apiVersion: v1
kind: PodTemplate
metadata:
  name: web
template:
  metadata:
    labels:
      app: web
  spec:
    containers:
    - name: c
      image: nginx
",
    ..Kind::plain("", "v1", "PodTemplate")
};
