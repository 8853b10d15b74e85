//! The questions about access: kinds that are answered and never stored.
//!
//! Models pkg/registry/authorization, pkg/registry/authentication and their validation.

use super::Kind;

const fn review(group: &'static str, kind: &'static str) -> Kind {
    Kind {
        namespaced: false,
        verbs: &["create"],
        ..Kind::plain(group, "v1", kind)
    }
}

const AUTHORIZATION: &str = "authorization.k8s.io";
const AUTHENTICATION: &str = "authentication.k8s.io";

/// May somebody do this?
pub static KIND: Kind = Kind {
    plural: "subjectaccessreviews",
    singular: "subjectaccessreview",
    schema: "io.k8s.api.authorization.v1.SubjectAccessReview",
    sample: "
apiVersion: authorization.k8s.io/v1
kind: SubjectAccessReview
metadata:
  name: ask
spec:
  user: alice
  resourceAttributes:
    verb: get
    resource: pods
",
    ..review(AUTHORIZATION, "SubjectAccessReview")
};

/// May somebody do this, here?
pub static LOCAL: Kind = Kind {
    plural: "localsubjectaccessreviews",
    singular: "localsubjectaccessreview",
    namespaced: true,
    schema: "io.k8s.api.authorization.v1.LocalSubjectAccessReview",
    sample: "
apiVersion: authorization.k8s.io/v1
kind: LocalSubjectAccessReview
metadata:
  name: ask
spec:
  user: alice
  resourceAttributes:
    namespace: default
    verb: get
    resource: pods
",
    ..review(AUTHORIZATION, "LocalSubjectAccessReview")
};

/// May I do this?
pub static SELF: Kind = Kind {
    plural: "selfsubjectaccessreviews",
    singular: "selfsubjectaccessreview",
    schema: "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
    sample: "
apiVersion: authorization.k8s.io/v1
kind: SelfSubjectAccessReview
metadata:
  name: ask
spec:
  resourceAttributes:
    verb: get
    resource: pods
",
    ..review(AUTHORIZATION, "SelfSubjectAccessReview")
};

/// What may I do here?
pub static RULES: Kind = Kind {
    plural: "selfsubjectrulesreviews",
    singular: "selfsubjectrulesreview",
    schema: "io.k8s.api.authorization.v1.SelfSubjectRulesReview",
    sample: "
apiVersion: authorization.k8s.io/v1
kind: SelfSubjectRulesReview
metadata:
  name: ask
spec:
  namespace: default
",
    ..review(AUTHORIZATION, "SelfSubjectRulesReview")
};

/// Who am I?
pub static WHOAMI: Kind = Kind {
    plural: "selfsubjectreviews",
    singular: "selfsubjectreview",
    schema: "io.k8s.api.authentication.v1.SelfSubjectReview",
    sample: "
apiVersion: authentication.k8s.io/v1
kind: SelfSubjectReview
metadata:
  name: ask
",
    ..review(AUTHENTICATION, "SelfSubjectReview")
};

/// Whose token is this?
pub static TOKEN: Kind = Kind {
    plural: "tokenreviews",
    singular: "tokenreview",
    schema: "io.k8s.api.authentication.v1.TokenReview",
    sample: "
apiVersion: authentication.k8s.io/v1
kind: TokenReview
metadata:
  name: ask
spec:
  token: abc
",
    ..review(AUTHENTICATION, "TokenReview")
};
