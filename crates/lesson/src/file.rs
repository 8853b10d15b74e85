//! The form of lesson.yaml: what a lesson file may hold, field by field. The comments here are
//! what an editor shows beside the fields. What the fields mean together is checked in
//! `validate.rs`.

use schemars::JsonSchema;
use serde::Deserialize;

/// A lesson: a world, and steps that a learner takes in it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(title = "Lesson")]
pub struct LessonFile {
    /// The version of this format.
    pub api_version: ApiVersion,
    /// What the file holds.
    pub kind: LessonKind,
    /// What the lesson is called and is about.
    pub metadata: Metadata,
    /// The lesson itself.
    pub spec: Spec,
}

/// The version of this format.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The first version.
    #[serde(rename = "kubarium.dev/v1")]
    V1,
}

/// What the file holds.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub enum LessonKind {
    /// A lesson.
    Lesson,
}

/// What a lesson is called and is about.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Metadata {
    /// The lesson's name: the name of its folder without the number, such as first-workload.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(max = 63))]
    pub name: String,
    /// Its name for people.
    #[schemars(length(min = 1, max = 100))]
    pub title: String,
    /// The folder of the lessons it belongs to.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(max = 63))]
    pub track: String,
    /// What one learns, in a sentence.
    #[schemars(length(min = 1, max = 300))]
    pub summary: String,
    /// How long it takes, in minutes.
    #[serde(default)]
    #[schemars(range(min = 0, max = 600))]
    pub minutes: u32,
}

/// The lesson itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The world the lesson happens in.
    #[serde(default)]
    pub world: WorldFile,
    /// What is done to the world before the first step.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub setup: Vec<ActionFile>,
    /// The steps, in order.
    #[schemars(length(min = 1, max = 50))]
    pub steps: Vec<StepFile>,
    /// What to say when all is done, Markdown.
    #[serde(default)]
    pub debrief: String,
}

/// The world of a lesson.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WorldFile {
    /// The version of Kubernetes, such as v1.36.2; the newest there is if not given.
    pub version: Option<String>,
    /// The machines, the control plane first. A control plane and two workers if not given.
    #[schemars(length(min = 1, max = 50))]
    pub nodes: Option<Vec<NodeFile>>,
    /// What everything random depends on. Proofs try others too.
    pub seed: Option<u64>,
}

/// A machine.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NodeFile {
    /// Its name.
    pub name: String,
    /// Its part; worker if not given.
    #[serde(default)]
    pub role: RoleFile,
    /// Processors; 4 if not given.
    #[schemars(range(min = 1, max = 128))]
    pub cpus: Option<u32>,
    /// Memory as a quantity such as 8Gi, which it is if not given.
    pub memory: Option<String>,
}

/// A machine's part in the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoleFile {
    /// Runs the control plane.
    ControlPlane,
    /// Runs workloads.
    #[default]
    Worker,
    /// Belongs to no cluster.
    Plain,
}

/// Something done to the world: one of apply, run and edit.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("oneOf" = [
    {"required": ["apply"]}, {"required": ["run"]}, {"required": ["edit"]}
]))]
pub struct ActionFile {
    /// Manifests that kubectl applies.
    pub apply: Option<String>,
    /// A shell command.
    pub run: Option<String>,
    /// A file that is written.
    pub edit: Option<EditFile>,
    /// The machine it happens on; the first one if not given.
    pub machine: Option<String>,
    /// How long a command may take, such as 30s; a minute if not given.
    pub timeout: Option<String>,
    /// The command is meant to fail, because that is what there is to see.
    #[serde(default)]
    pub fails: bool,
}

/// A file and what it shall hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EditFile {
    /// The file's path on the machine; relative paths begin in /root.
    pub file: String,
    /// The whole text it holds afterwards.
    pub text: String,
}

/// A step of a lesson.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct StepFile {
    /// Its heading.
    #[schemars(length(min = 1, max = 100))]
    pub title: String,
    /// What to read, Markdown.
    #[schemars(length(min = 1))]
    pub text: String,
    /// A question to think about before doing anything.
    pub predict: Option<PredictFile>,
    /// What the world must be like at the end of the step.
    #[schemars(length(min = 1, max = 20))]
    pub checks: Vec<CheckFile>,
    /// Hints, Markdown; each says more than the one before.
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub hints: Vec<String>,
    /// Common mistakes and what to say about them.
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub mistakes: Vec<MistakeFile>,
    /// What a learner may do to pass the step. Proofs do just this.
    #[schemars(length(min = 1, max = 50))]
    pub solution: Vec<ActionFile>,
}

/// A question to think about before doing anything.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PredictFile {
    /// The question, Markdown.
    pub question: String,
    /// Answers to choose from; at least one is right.
    #[schemars(length(min = 2, max = 8))]
    pub choices: Vec<ChoiceFile>,
}

/// An answer to choose.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ChoiceFile {
    /// The answer.
    pub text: String,
    /// Whether it is right.
    #[serde(default)]
    pub correct: bool,
    /// What to say to those who choose it, Markdown.
    #[serde(default)]
    pub feedback: String,
}

/// A common mistake.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MistakeFile {
    /// How the world shows it.
    pub when: CheckFile,
    /// What to say about it, Markdown.
    pub say: String,
    /// What a learner does who makes it. Proofs do just this, and want to see it recognised.
    #[schemars(length(min = 1, max = 20))]
    pub example: Vec<ActionFile>,
}

/// The fields that say what is to be seen, in whatever holds a check.
macro_rules! check_struct {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        #[schemars(extend("oneOf" = [
            {"required": ["object"]}, {"required": ["probe"]}, {"required": ["command"]},
            {"required": ["all"]}, {"required": ["any"]}, {"required": ["not"]},
            {"required": ["eventually"]}, {"required": ["stays"]}
        ]))]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            /// An object of the cluster.
            pub object: Option<ObjectFile>,
            /// A request over the network.
            pub probe: Option<ProbeFile>,
            /// What a command prints.
            pub command: Option<CommandFile>,
            /// Several checks, all of which hold.
            #[schemars(length(min = 1, max = 20))]
            pub all: Option<Vec<CheckFile>>,
            /// Several checks, one of which holds.
            #[schemars(length(min = 1, max = 20))]
            pub any: Option<Vec<CheckFile>>,
            /// A check that does not hold.
            pub not: Option<Box<CheckFile>>,
            /// A check that begins to hold after some time.
            pub eventually: Option<Box<EventuallyFile>>,
            /// A check that holds for some time without a break.
            pub stays: Option<Box<StaysFile>>,
        }

        impl $name {
            pub(crate) fn test(&self) -> TestFile<'_> {
                let Self { object, probe, command, all, any, not, eventually, stays, .. } = self;
                TestFile {
                    object: object.as_ref(),
                    probe: probe.as_ref(),
                    command: command.as_ref(),
                    all: all.as_deref(),
                    any: any.as_deref(),
                    not: not.as_deref(),
                    eventually: eventually.as_deref(),
                    stays: stays.as_deref(),
                }
            }
        }
    };
}

check_struct! {
    /// Something that is to be seen: one of object, probe, command, all, any, not, eventually and
    /// stays.
    pub struct CheckFile {
        /// What is asked for, a phrase such as: Three pods are ready.
        #[schemars(length(max = 200))]
        pub label: Option<String>,
    }
}

check_struct! {
    /// A check that begins to hold after some time.
    pub struct EventuallyFile {
        /// After how long at most, such as 30s, counted from the last thing that was done.
        pub within: String,
    }
}

check_struct! {
    /// A check that holds for some time without a break.
    pub struct StaysFile {
        /// How long, such as 10s.
        pub r#for: String,
    }
}

/// The parts of a check, whichever struct holds them.
pub(crate) struct TestFile<'a> {
    pub(crate) object: Option<&'a ObjectFile>,
    pub(crate) probe: Option<&'a ProbeFile>,
    pub(crate) command: Option<&'a CommandFile>,
    pub(crate) all: Option<&'a [CheckFile]>,
    pub(crate) any: Option<&'a [CheckFile]>,
    pub(crate) not: Option<&'a CheckFile>,
    pub(crate) eventually: Option<&'a EventuallyFile>,
    pub(crate) stays: Option<&'a StaysFile>,
}

/// An object of the cluster, or all objects of a kind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ObjectFile {
    /// Its kind, such as Deployment.
    pub kind: String,
    /// Its API version, where the kind alone is not clear.
    pub api_version: Option<String>,
    /// Its namespace; default if not given. A * stands for all of them.
    pub namespace: Option<String>,
    /// Its name. Without it the check is about all objects that the selector matches.
    pub name: Option<String>,
    /// Labels the objects have, such as app=web.
    pub selector: Option<String>,
    /// The object is not there, or no object is.
    #[serde(default)]
    pub absent: bool,
    /// What is true, in CEL: self is the object, items are the objects, before is what they were at
    /// the start of the step. Without it the object only has to be there.
    pub expression: Option<String>,
}

/// A request over the network.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProbeFile {
    /// The address to ask, such as http://web.default:80/.
    pub url: String,
    /// The machine that asks; the first one if neither it nor pod is given.
    pub machine: Option<String>,
    /// The pod that asks, in whose network the request begins.
    pub pod: Option<PodFile>,
    /// How long to wait for the answer, such as 5s, which it is if not given.
    pub timeout: Option<String>,
    /// What is true of the answer, in CEL: status is its number (0 without an answer), body its
    /// text, error why there is none. Without it the status has to be 200.
    pub expression: Option<String>,
}

/// A pod that asks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("oneOf" = [{"required": ["name"]}, {"required": ["selector"]}]))]
pub struct PodFile {
    /// Its namespace; default if not given.
    pub namespace: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Labels it has, such as app=web; the first running one is taken.
    pub selector: Option<String>,
}

/// What a command prints. It runs in a copy of the world and changes nothing.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CommandFile {
    /// The shell command.
    pub run: String,
    /// The machine it runs on; the first one if not given.
    pub machine: Option<String>,
    /// How long it may take, such as 30s, which it is if not given.
    pub timeout: Option<String>,
    /// What is true of it, in CEL: stdout and stderr are what it prints, exitCode is its exit code.
    /// Without it the exit code has to be 0.
    pub expression: Option<String>,
}
