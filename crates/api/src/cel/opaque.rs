//! Values of Kubernetes' libraries: addresses, URLs, versions, formats, and questions to the
//! authorizer.

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

use crate::Str;

use super::signatures::OPAQUE;

/// A value of one of Kubernetes' libraries.
#[derive(Clone, Debug, PartialEq)]
pub enum Opaque {
    /// An IP address.
    Ip(IpAddr),
    /// A network: an address in it and the length of its prefix.
    Cidr(IpAddr, u8),
    /// A URL, which was read before.
    Url(Str),
    /// A semantic version: the numbers, and what stands after `-` and `+`.
    Semver([u64; 3], Str, Str),
    /// A named format.
    Format(&'static str),
    /// A question to the authorizer, or its answer.
    Access(Access),
}

/// A question to the authorizer that is being put together.
#[derive(Clone, Debug)]
pub struct Access {
    /// Who answers.
    pub authorizer: Rc<dyn Authorize>,
    /// What is asked so far.
    pub ask: Ask,
    /// How far it is.
    pub stage: Stage,
}

impl PartialEq for Access {
    fn eq(&self, other: &Access) -> bool {
        (&self.ask, &self.stage) == (&other.ask, &other.stage)
    }
}

/// How far a question is.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// The authorizer itself.
    Authorizer,
    /// A path was named.
    Path,
    /// A group was named.
    Group,
    /// A resource was named.
    Resource,
    /// It was answered: whether it is allowed, and why.
    Decision(bool, String),
}

/// What is asked of the authorizer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ask {
    /// A service account to ask for instead of the user, as namespace and name.
    pub account: Option<(Str, Str)>,
    /// The path of a request for no resource.
    pub path: Option<Str>,
    /// The verb.
    pub verb: Str,
    /// The API group.
    pub group: Str,
    /// The resource.
    pub resource: Str,
    /// The subresource.
    pub subresource: Str,
    /// The namespace.
    pub namespace: Str,
    /// The name.
    pub name: Str,
}

/// Who answers whether somebody may do something.
pub trait Authorize: fmt::Debug {
    /// Whether it is allowed, and why.
    fn decide(&self, ask: &Ask) -> (bool, String);
}

impl Opaque {
    /// The authorizer, for the variable of that name.
    pub fn authorizer(authorizer: Rc<dyn Authorize>) -> Opaque {
        Opaque::Access(Access {
            authorizer,
            ask: Ask::default(),
            stage: Stage::Authorizer,
        })
    }

    /// The same with a resource named already: the variable `authorizer.requestResource`.
    pub fn resource_check(authorizer: Rc<dyn Authorize>, ask: Ask) -> Opaque {
        Opaque::Access(Access {
            authorizer,
            ask,
            stage: Stage::Resource,
        })
    }

    /// The name of its type.
    pub(super) fn type_name(&self) -> &'static str {
        let short = match self {
            Opaque::Ip(_) => "IP",
            Opaque::Cidr(..) => "CIDR",
            Opaque::Url(_) => "URL",
            Opaque::Semver(..) => "Semver",
            Opaque::Format(_) => "Format",
            Opaque::Access(access) => match access.stage {
                Stage::Authorizer => "Authorizer",
                Stage::Path => "PathCheck",
                Stage::Group => "GroupCheck",
                Stage::Resource => "ResourceCheck",
                Stage::Decision(..) => "Decision",
            },
        };
        OPAQUE
            .iter()
            .find(|(name, _)| *name == short)
            .map_or(short, |(_, full)| full)
    }
}

impl fmt::Display for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Opaque::Ip(ip) => write!(f, "{ip}"),
            Opaque::Cidr(ip, len) => write!(f, "{ip}/{len}"),
            Opaque::Url(url) => f.write_str(url),
            Opaque::Semver([major, minor, patch], pre, build) => {
                write!(f, "{major}.{minor}.{patch}")?;
                for (mark, part) in [("-", pre), ("+", build)] {
                    if !part.is_empty() {
                        write!(f, "{mark}{part}")?;
                    }
                }
                Ok(())
            }
            Opaque::Format(name) => f.write_str(name),
            Opaque::Access(_) => f.write_str(self.type_name()),
        }
    }
}
