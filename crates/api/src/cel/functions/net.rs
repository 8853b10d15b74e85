//! IP addresses, networks and URLs.
//!
//! Models k8s.io/apiserver/pkg/cel/library/{ip,cidr,urls}.go.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::{Function, function, method, no_overload};
use crate::Str;
use crate::cel::eval::Meter;
use crate::cel::{EvalError, Key, Opaque, Val};

pub(super) const FUNCTIONS: &[Function] = &[
    function("ip", 1, |m, args| made(ip(text(m, args, 0)?), Opaque::Ip)),
    method("ip", 0, 0, |_, args| {
        let (ip, _) = network(args)?;
        Ok(val(Opaque::Ip(ip)))
    }),
    function("isIP", 1, |m, args| {
        Ok(Val::Bool(ip(text(m, args, 0)?).is_ok()))
    }),
    function("ip.isCanonical", 1, |m, args| {
        let text = text(m, args, 0)?;
        let ip = ip(text.clone()).map_err(EvalError::new)?;
        Ok(Val::Bool(ip.to_string() == *text))
    }),
    method("family", 0, 0, |_, args| {
        Ok(Val::Int(if address(args)?.is_ipv4() { 4 } else { 6 }))
    }),
    method("isUnspecified", 0, 0, |_, args| {
        asked(args, |ip| ip.is_unspecified())
    }),
    method("isLoopback", 0, 0, |_, args| {
        asked(args, |ip| ip.is_loopback())
    }),
    method("isLinkLocalMulticast", 0, 0, |_, args| {
        asked(args, |ip| match ip {
            IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
            IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
        })
    }),
    method("isLinkLocalUnicast", 0, 0, |_, args| {
        asked(args, is_link_local)
    }),
    method("isGlobalUnicast", 0, 0, |_, args| {
        asked(args, |ip| {
            let broadcast = *ip == IpAddr::V4(Ipv4Addr::BROADCAST);
            let local = ip.is_unspecified() || ip.is_loopback() || ip.is_multicast();
            !broadcast && !local && !is_link_local(ip)
        })
    }),
    function("cidr", 1, |m, args| {
        made(cidr(text(m, args, 0)?), |(ip, len)| Opaque::Cidr(ip, len))
    }),
    function("isCIDR", 1, |m, args| {
        Ok(Val::Bool(cidr(text(m, args, 0)?).is_ok()))
    }),
    method("containsIP", 1, 1, |m, args| {
        let (net, len) = network(args)?;
        let inner = match &args[1] {
            Val::Str(_) => ip(text(m, args, 1)?).map_err(EvalError::new)?,
            other => address(std::slice::from_ref(other))?,
        };
        Ok(Val::Bool(contains(net, len, inner)))
    }),
    method("containsCIDR", 1, 1, |m, args| {
        let (net, len) = network(args)?;
        let (inner, inner_len) = match &args[1] {
            Val::Str(_) => cidr(text(m, args, 1)?).map_err(EvalError::new)?,
            other => network(std::slice::from_ref(other))?,
        };
        Ok(Val::Bool(inner_len >= len && contains(net, len, inner)))
    }),
    method("masked", 0, 0, |_, args| {
        let (ip, len) = network(args)?;
        Ok(val(Opaque::Cidr(masked(ip, len), len)))
    }),
    method("prefixLength", 0, 0, |_, args| {
        Ok(Val::Int(network(args)?.1.into()))
    }),
    function("url", 1, |m, args| {
        let url = text(m, args, 0)?;
        match parts(&url) {
            Ok(_) => Ok(val(Opaque::Url(url))),
            Err(why) => {
                let text = format!("URL parse error during conversion from string: {why}");
                Err(EvalError::new(text))
            }
        }
    }),
    function("isURL", 1, |m, args| {
        Ok(Val::Bool(parts(&text(m, args, 0)?).is_ok()))
    }),
    method("getScheme", 0, 0, |_, args| of_url(args, |url| url.scheme)),
    method("getHost", 0, 0, |_, args| of_url(args, |url| url.host)),
    method("getHostname", 0, 0, |_, args| {
        of_url(args, |url| {
            let name = url.host.rsplit_once(':').filter(|(_, port)| is_port(port));
            let name = name.map_or(url.host, |(name, _)| name);
            name.trim_start_matches('[').trim_end_matches(']')
        })
    }),
    method("getPort", 0, 0, |_, args| {
        of_url(args, |url| {
            let port = url.host.rsplit_once(':').filter(|(_, port)| is_port(port));
            port.map_or("", |(_, port)| port)
        })
    }),
    method("getEscapedPath", 0, 0, |_, args| {
        of_url(args, |url| url.path)
    }),
    method("getQuery", 0, 0, query),
];

type Done = Result<Val, EvalError>;

fn val(of: Opaque) -> Val {
    Val::Opaque(Rc::new(of))
}

fn made<T>(read: Result<T, String>, make: fn(T) -> Opaque) -> Done {
    read.map(|of| val(make(of))).map_err(EvalError::new)
}

fn text(meter: &mut Meter, args: &[Val], at: usize) -> Result<Str, EvalError> {
    match &args[at] {
        Val::Str(text) => {
            meter.charge_text(text)?;
            Ok(text.clone())
        }
        _ => no_overload(),
    }
}

fn address(args: &[Val]) -> Result<IpAddr, EvalError> {
    match &args[0] {
        Val::Opaque(of) => match &**of {
            Opaque::Ip(ip) => Ok(*ip),
            _ => no_overload(),
        },
        _ => no_overload(),
    }
}

fn network(args: &[Val]) -> Result<(IpAddr, u8), EvalError> {
    match &args[0] {
        Val::Opaque(of) => match &**of {
            Opaque::Cidr(ip, len) => Ok((*ip, *len)),
            _ => no_overload(),
        },
        _ => no_overload(),
    }
}

fn asked(args: &[Val], holds: fn(&IpAddr) -> bool) -> Done {
    Ok(Val::Bool(holds(&address(args)?)))
}

fn is_link_local(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.segments()[0] & 0xffc0 == 0xfe80,
    }
}

fn ip(text: Str) -> Result<IpAddr, String> {
    if text.contains('%') {
        return Err(format!(
            "IP address {:?} with zone value is not allowed",
            &*text
        ));
    }
    let ip: IpAddr = text.parse().map_err(|_| {
        let why = format!("ParseAddr({:?}): unable to parse IP", &*text);
        format!(
            "IP Address {:?} parse error during conversion from string: {why}",
            &*text
        )
    })?;
    is_plain(ip, &text)?;
    Ok(ip)
}

fn is_plain(ip: IpAddr, text: &str) -> Result<(), String> {
    match ip {
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => {
            Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed"))
        }
        _ => Ok(()),
    }
}

fn cidr(text: Str) -> Result<(IpAddr, u8), String> {
    let wrong = |why: &str| {
        let parse = format!("netip.ParsePrefix({:?}): {why}", &*text);
        format!("network address parse error during conversion from string: {parse}")
    };
    let (ip, len) = text.split_once('/').ok_or_else(|| wrong("no '/'"))?;
    let ip: IpAddr = ip
        .parse()
        .map_err(|_| wrong(&format!("ParseAddr({ip:?}): unable to parse IP")))?;
    let max = if ip.is_ipv4() { 32 } else { 128 };
    let plain = !len.is_empty() && (len == "0" || !len.starts_with(['0', '+']));
    let len: u8 = len
        .parse()
        .ok()
        .filter(|_| plain)
        .ok_or_else(|| wrong(&format!("bad bits after slash: {len:?}")))?;
    if len > max {
        return Err(wrong("prefix length out of range"));
    }
    is_plain(ip, &text)?;
    Ok((ip, len))
}

fn masked(ip: IpAddr, len: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
            Ipv4Addr::from(u32::from(ip) & mask).into()
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
            Ipv6Addr::from(u128::from(ip) & mask).into()
        }
    }
}

fn contains(net: IpAddr, len: u8, inner: IpAddr) -> bool {
    net.is_ipv4() == inner.is_ipv4() && masked(net, len) == masked(inner, len)
}

struct Url<'a> {
    scheme: &'a str,
    host: &'a str,
    path: &'a str,
    query: &'a str,
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit())
}

/// The parts of a URL, or why it is none; it has to be absolute.
fn parts(text: &str) -> Result<Url<'_>, String> {
    let wrong = |why: &str| format!("parse {text:?}: {why}");
    if text.is_empty() {
        return Err(wrong("empty url"));
    }
    if text.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return Err(wrong("net/url: invalid control character in URL"));
    }
    let scheme = |name: &str| {
        let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        first
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    let (scheme, rest) = match text.split_once(':') {
        Some(("", _)) => return Err(wrong("missing protocol scheme")),
        Some((name, rest)) if scheme(name) => (name, rest),
        _ => ("", text),
    };
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !rest.starts_with('/') {
        // What is not rooted is opaque, and only good with a scheme.
        return match scheme {
            "" => Err(wrong("invalid URI for request")),
            _ => Ok(Url {
                scheme,
                host: "",
                path: "",
                query,
            }),
        };
    }
    let (host, path) = match rest.strip_prefix("//").filter(|_| !scheme.is_empty()) {
        None => ("", rest),
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if let Some(bad) = host.chars().find(|c| *c == ' ' || *c == '<' || *c == '>') {
        return Err(wrong(&format!(
            "invalid character {:?} in host name",
            bad.to_string()
        )));
    }
    let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
    if let Some((_, port)) = after.rsplit_once(':')
        && !is_port(port)
    {
        return Err(wrong(&format!(
            "invalid port {:?} after host",
            format!(":{port}")
        )));
    }
    Ok(Url {
        scheme,
        host,
        path,
        query,
    })
}

/// Why a text is no URL, if it is none.
pub(super) fn url_error(text: &str) -> Option<String> {
    parts(text).err()
}

fn url(args: &[Val]) -> Result<Str, EvalError> {
    match &args[0] {
        Val::Opaque(of) => match &**of {
            Opaque::Url(url) => Ok(url.clone()),
            _ => no_overload(),
        },
        _ => no_overload(),
    }
}

fn of_url(args: &[Val], part: fn(Url<'_>) -> &str) -> Done {
    let url = url(args)?;
    Ok(Val::from(parts(&url).map_or("", part)))
}

fn query(meter: &mut Meter, args: &[Val]) -> Done {
    let url = url(args)?;
    meter.charge_text(&url)?;
    let mut out: BTreeMap<Key, Vec<Val>> = BTreeMap::new();
    let query = parts(&url).map_or("", |url| url.query);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let values = out.entry(Key::Str(unescaped(key).into())).or_default();
        values.push(Val::from(unescaped(value)));
    }
    let lists = out
        .into_iter()
        .map(|(key, values)| (key, Val::list(values)));
    Ok(Val::Map(Rc::new(lists.collect())))
}

fn unescaped(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        out.push(match b {
            b'+' => b' ',
            b'%' => {
                let hex: Vec<u8> = bytes.by_ref().take(2).collect();
                let code = std::str::from_utf8(&hex).ok();
                code.and_then(|code| u8::from_str_radix(code, 16).ok())
                    .unwrap_or(b'%')
            }
            plain => plain,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}
