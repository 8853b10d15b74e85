//! Pod networks: the configuration file, an address per pod from the machine's range, a veth pair
//! into a bridge. What happens to packets is the network's business.
//! Models containernetworking/plugins (bridge, host-local, loopback) as containerd calls them, and
//! containerd's own template for the configuration.

use std::net::Ipv4Addr;

use machine::{Errno, NetnsId, Sys};
use net::{Ipv4Net, Route};

/// Where containerd looks for network configurations.
const CONF_DIR: &str = "/etc/cni/net.d";
/// What containerd writes from its template.
const CONF_FILE: &str = "/etc/cni/net.d/10-containerd-net.conflist";
/// The store of addresses given out; a file per address holds the sandbox's id.
const STORE: &str = "/var/lib/cni/networks/containerd-net";
/// The bridge pods are plugged into.
const BRIDGE: &str = "cni0";

/// What the runtime says while there is no network configuration.
pub const NOT_INITIALIZED: &str = "Network plugin returns error: cni plugin not initialized";

/// Whether there is a network configuration.
pub fn is_configured(sys: &mut Sys<'_>) -> bool {
    let files = sys.read_dir(CONF_DIR).unwrap_or_default();
    files
        .iter()
        .any(|file| file.name.ends_with(".conflist") || file.name.ends_with(".conf"))
}

/// Writes the network configuration for a range of pod addresses, unless there is one.
///
/// # Errors
/// Of the file system.
pub fn configure(sys: &mut Sys<'_>, pod_cidr: &str) -> Result<(), Errno> {
    if pod_cidr.is_empty() || is_configured(sys) {
        return Ok(());
    }
    sys.mkdir_all(CONF_DIR)?;
    sys.write_file(CONF_FILE, render(pod_cidr).as_bytes())
}

/// The configuration file's text.
pub fn render(pod_cidr: &str) -> String {
    format!(
        r#"{{
  "name": "containerd-net",
  "cniVersion": "1.0.0",
  "plugins": [
    {{
      "type": "bridge",
      "bridge": "{BRIDGE}",
      "isGateway": true,
      "ipMasq": false,
      "promiscMode": true,
      "ipam": {{
        "type": "host-local",
        "ranges": [
          [{{
            "subnet": "{pod_cidr}"
          }}]
        ],
        "routes": [
          {{ "dst": "0.0.0.0/0" }}
        ]
      }}
    }}
  ]
}}
"#
    )
}

/// Wires a namespace: an address, `eth0` in it, the other end in the bridge.
///
/// # Errors
/// In the words of the plugin that failed.
pub fn add(sys: &mut Sys<'_>, netns: NetnsId, sandbox: &str) -> Result<Ipv4Addr, String> {
    let range = subnet(sys).ok_or("cni plugin not initialized")?;
    let failed = |errno: Errno| {
        format!(
            "plugin type=\"bridge\" failed (add): {}",
            errno.go_message()
        )
    };
    let addr = reserve(sys, range, sandbox)?;
    let gateway = range.nth(1).unwrap_or(range.addr);
    let host = sys.host().netns;
    let veth = format!("veth{}", &sandbox[..8]);
    sys.with_net(|net, _| -> Result<(), Errno> {
        let bridge = match net.link_by_name(host, BRIDGE) {
            Some(link) => link.id,
            None => {
                let bridge = net.add_bridge(host, BRIDGE)?;
                net.addr_add(bridge, Ipv4Net::new(gateway, range.prefix))?;
                net.set_up(bridge)?;
                net.set_ip_forward(host, true);
                bridge
            }
        };
        let loopback = net.link_by_name(netns, "lo").map(|link| link.id);
        if let Some(loopback) = loopback {
            net.set_up(loopback)?;
        }
        let (outer, inner) = net.add_veth(host, &veth, netns, "eth0")?;
        net.set_master(outer, Some(bridge))?;
        net.set_up(outer)?;
        net.addr_add(inner, Ipv4Net::new(addr, range.prefix))?;
        net.set_up(inner)?;
        net.route_add(netns, Route::via(Ipv4Net::DEFAULT, gateway, inner))
    })
    .map_err(|errno| {
        release(sys, sandbox, Some(addr));
        failed(errno)
    })?;
    Ok(addr)
}

/// Gives the address back and takes the pair away.
pub fn del(sys: &mut Sys<'_>, netns: NetnsId, sandbox: &str) {
    let addr = sys
        .net()
        .link_by_name(netns, "eth0")
        .and_then(|link| Some(link.addrs.first()?.addr));
    release(sys, sandbox, addr);
    let host = sys.host().netns;
    let veth = format!("veth{}", &sandbox[..8]);
    sys.with_net(|net, _| {
        if let Some(link) = net.link_by_name(host, &veth).map(|link| link.id) {
            net.delete_link(link);
        }
    });
}

/// The range of the configuration file.
fn subnet(sys: &mut Sys<'_>) -> Option<Ipv4Net> {
    let files = sys.read_dir(CONF_DIR).ok()?;
    let file = files.iter().find(|file| file.name.ends_with(".conflist"))?;
    let text = sys
        .read_to_string(&format!("{CONF_DIR}/{}", file.name))
        .ok()?;
    let (_, rest) = text.split_once("\"subnet\"")?;
    rest.split('"').nth(1)?.parse().ok()
}

/// Takes the next free address of the range: the one after the last that was given out, so that an
/// address is not used again at once.
fn reserve(sys: &mut Sys<'_>, range: Ipv4Net, sandbox: &str) -> Result<Ipv4Addr, String> {
    let last_file = format!("{STORE}/last_reserved_ip.0");
    let last = sys
        .read_to_string(&last_file)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let free = next_free(range, last, |addr| sys.exists(&format!("{STORE}/{addr}")));
    let addr = free.ok_or_else(|| {
        let (first, end) = (range.nth(1).unwrap_or(range.addr), range.broadcast());
        let last = Ipv4Addr::from(u32::from(end).saturating_sub(1));
        format!(
            "plugin type=\"bridge\" failed (add): failed to allocate for range 0: no IP addresses \
             available in range set: {first}-{last}"
        )
    })?;
    let kept = (|| {
        sys.mkdir_all(STORE)?;
        sys.write_file(
            &format!("{STORE}/{addr}"),
            format!("{sandbox}\r\neth0").as_bytes(),
        )?;
        sys.write_file(&last_file, addr.to_string().as_bytes())
    })();
    kept.map_err(|errno: Errno| {
        format!(
            "plugin type=\"host-local\" failed (add): {}",
            errno.go_message()
        )
    })?;
    Ok(addr)
}

fn release(sys: &mut Sys<'_>, sandbox: &str, addr: Option<Ipv4Addr>) {
    let Some(addr) = addr else { return };
    let path = format!("{STORE}/{addr}");
    let is_ours = sys
        .read_to_string(&path)
        .is_ok_and(|text| text.starts_with(sandbox));
    if is_ours {
        // It was there a moment ago.
        let _ = sys.remove(&path);
    }
}

/// The first address after `last`, going round the range once, that is neither the network's, the
/// gateway's, the broadcast's, nor taken.
pub fn next_free(
    range: Ipv4Net,
    last: Option<Ipv4Addr>,
    mut is_taken: impl FnMut(Ipv4Addr) -> bool,
) -> Option<Ipv4Addr> {
    let size = u32::MAX.checked_shr(range.prefix.into()).unwrap_or(0);
    let base = u32::from(range.network().addr);
    let usable = size.checked_sub(2)?;
    let offset = |addr: Ipv4Addr| u32::from(addr).wrapping_sub(base);
    let after = last
        .filter(|last| range.contains(*last))
        .map_or(0, |last| offset(last).saturating_sub(1));
    (0..usable)
        .map(|step| range.nth(2 + (after + step) % usable))
        .find_map(|addr| addr.filter(|addr| !is_taken(*addr)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(range: &str, last: &str, taken: &[&str], expect: Option<&str>) {
        let range = range.parse().unwrap();
        let found = next_free(range, last.parse().ok(), |addr| {
            taken.contains(&addr.to_string().as_str())
        });
        assert_eq!(found.map(|addr| addr.to_string()).as_deref(), expect);
    }

    #[test]
    fn addresses_are_given_out_in_a_circle() {
        check("10.244.1.0/24", "", &[], Some("10.244.1.2"));
        check("10.244.1.0/24", "10.244.1.2", &[], Some("10.244.1.3"));
        check(
            "10.244.1.0/24",
            "10.244.1.2",
            &["10.244.1.3"],
            Some("10.244.1.4"),
        );
        check(
            "10.244.1.0/24",
            "10.244.1.254",
            &["10.244.1.2"],
            Some("10.244.1.3"),
        );
        check("10.244.1.0/24", "10.9.9.9", &[], Some("10.244.1.2"));
        check(
            "10.244.1.0/29",
            "",
            &["10.244.1.2", "10.244.1.3"],
            Some("10.244.1.4"),
        );
        let all = [
            "10.244.1.2",
            "10.244.1.3",
            "10.244.1.4",
            "10.244.1.5",
            "10.244.1.6",
        ];
        check("10.244.1.0/29", "", &all, None);
    }

    #[test]
    fn the_configuration_is_json_with_the_range() {
        let text = render("10.244.1.0/24");
        let value = api::Value::from_json(text.as_bytes()).unwrap();
        let subnet = value.at("plugins.0.ipam.ranges.0.0.subnet");
        assert_eq!(subnet.as_str(), "10.244.1.0/24");
    }
}
