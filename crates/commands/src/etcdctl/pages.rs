//! The pages of `etcdctl COMMAND --help`, which also follow a flag that is not known.
//!
//! Models pkg/cobrautl/help.go.

use std::rc::Rc;

/// A line of a table: what stands left, and what it means.
type Row<'a> = (&'a str, &'a str);

/// What a command says of itself.
struct Page {
    name: &'static str,
    /// What stands behind the name in its usage.
    takes: &'static str,
    short: &'static str,
    options: &'static [Row<'static>],
}

const PAGES: &[Page] = &[
    page("alarm disarm", "", "Disarms all alarms", &[]),
    page("alarm list", "", "Lists all alarms", &[]),
    page(
        "compaction",
        "[options] <revision>",
        "Compacts the event history in etcd",
        &[(
            "      --physical[=false]",
            "'true' to wait for compaction to physically remove all old revisions",
        )],
    ),
    page(
        "defrag",
        "",
        "Defragments the storage of the etcd members with given endpoints",
        &[],
    ),
    page(
        "del",
        "[options] <key> [range_end]",
        "Removes the specified key or range of keys [key, range_end)",
        &[
            (
                "      --from-key[=false]",
                "delete keys that are greater than or equal to the given key using byte compare",
            ),
            ("      --prefix[=false]", "delete keys with matching prefix"),
            ("      --prev-kv[=false]", "return deleted key-value pairs"),
        ],
    ),
    page(
        "endpoint hashkv",
        "",
        "Prints the KV history hash for each endpoint in --endpoints",
        CLUSTER,
    ),
    page(
        "endpoint health",
        "",
        "Checks the healthiness of endpoints specified in `--endpoints` flag",
        CLUSTER,
    ),
    page(
        "endpoint status",
        "",
        "Prints out the status of endpoints specified in `--endpoints` flag",
        CLUSTER,
    ),
    page(
        "get",
        "[options] <key> [range_end]",
        "Gets the key or a range of keys",
        GET,
    ),
    page("help", "[command]", "Help about any command", &[]),
    page("member list", "", "Lists all members in the cluster", &[]),
    page(
        "put",
        "[options] <key> <value> (<value> can also be given from stdin)",
        "Puts the given key into the store",
        &[(
            "      --lease=\"0\"",
            "lease ID (in hexadecimal) to attach to the key",
        )],
    ),
    page(
        "snapshot save",
        "<filename>",
        "Stores an etcd node backend snapshot to a given file",
        &[],
    ),
    page("version", "", "Prints the version of etcdctl", &[]),
    page(
        "watch",
        "[options] [key or prefix] [range_end]",
        "Watches events stream on keys or prefixes",
        &[
            (
                "      --prefix[=false]",
                "Watch on a prefix if prefix is set",
            ),
            (
                "      --prev-kv[=false]",
                "get the previous key-value pair before the event happens",
            ),
            ("      --rev=0", "Revision to start watching"),
        ],
    ),
];

/// Commands that have others below them.
const GROUPS: &[Row<'static>] = &[
    ("alarm", "Alarm related commands"),
    ("endpoint", "Endpoint related commands"),
    ("member", "Membership related commands"),
    ("snapshot", "Manages etcd node snapshots"),
];

const CLUSTER: &[Row<'static>] = &[(
    "      --cluster[=false]",
    "use all endpoints from the cluster member list",
)];

const GET: &[Row<'static>] = &[
    (
        "      --consistency=\"l\"",
        "Linearizable(l) or Serializable(s)",
    ),
    ("      --count-only[=false]", "Get only the count"),
    (
        "      --from-key[=false]",
        "Get keys that are greater than or equal to the given key using byte compare",
    ),
    ("      --keys-only[=false]", "Get only the keys"),
    ("      --limit=0", "Maximum number of results"),
    (
        "      --order=\"\"",
        "Order of results; ASCEND or DESCEND (ASCEND by default)",
    ),
    ("      --prefix[=false]", "Get keys with matching prefix"),
    (
        "      --print-value-only[=false]",
        "Only write values when using the \"simple\" output format",
    ),
    ("      --rev=0", "Specify the kv revision"),
    (
        "      --sort-by=\"\"",
        "Sort target; CREATE, KEY, MODIFY, VALUE, or VERSION",
    ),
];

const GLOBAL: &[Row<'static>] = &[
    (
        "      --cacert=\"\"",
        "verify certificates of TLS-enabled secure servers using this CA bundle",
    ),
    (
        "      --cert=\"\"",
        "identify secure client using this TLS certificate file",
    ),
    (
        "      --command-timeout=5s",
        "timeout for short running command (excluding dial timeout)",
    ),
    ("      --endpoints=[127.0.0.1:2379]", "gRPC endpoints"),
    (
        "      --insecure-skip-tls-verify[=false]",
        "skip server certificate verification (CAUTION: this option should be enabled only for \
         testing purposes)",
    ),
    (
        "      --key=\"\"",
        "identify secure client using this TLS key file",
    ),
    (
        "  -w, --write-out=\"simple\"",
        "set the output format (fields, json, protobuf, simple, table)",
    ),
];

const fn page(
    name: &'static str,
    takes: &'static str,
    short: &'static str,
    options: &'static [Row<'static>],
) -> Page {
    Page {
        name,
        takes,
        short,
        options,
    }
}

/// The page of the command that `words` begin with; of the tool itself if there is none.
pub(super) fn of(words: &[Rc<str>]) -> String {
    let first = words.first().map_or("", |word| &**word);
    let both = words.get(..2).map(|two| two.join(" ")).unwrap_or_default();
    let found = PAGES
        .iter()
        .find(|page| [first, &both].contains(&page.name));
    if let Some(page) = found {
        return command(page);
    }
    match GROUPS.iter().find(|(name, _)| *name == first) {
        Some((name, short)) => group(name, short),
        None => tool(),
    }
}

fn command(page: &Page) -> String {
    let Page { name, short, .. } = page;
    let takes = match page.takes {
        "" => String::new(),
        takes => format!(" {takes}"),
    };
    let last = name.rsplit(' ').next().unwrap_or(name);
    format!(
        "NAME:\n\t{name} - {short}\n\nUSAGE:\n\tetcdctl {name}{takes} [flags]\n\nOPTIONS:\n{}\n\
         GLOBAL OPTIONS:\n{}\n",
        with_help(page.options, last),
        tabbed(GLOBAL)
    )
}

fn group(name: &str, short: &str) -> String {
    let below = PAGES.iter().filter(|page| {
        let rest = page.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(' '))
    });
    let below = below.map(|page| (&page.name[name.len() + 1..], page.short));
    let minor = minor();
    format!(
        "NAME:\n\t{name} - {short}\n\nUSAGE:\n\tetcdctl {name} <subcommand> [flags]\n\nAPI \
         VERSION:\n\t{minor}\n\n\nCOMMANDS:\n{}\nOPTIONS:\n{}\nGLOBAL OPTIONS:\n{}\n",
        indented(&below.collect::<Vec<_>>()),
        with_help(&[], name),
        tabbed(GLOBAL)
    )
}

fn tool() -> String {
    let commands: Vec<_> = PAGES.iter().map(|page| (page.name, page.short)).collect();
    let (version, minor) = (etcd::VERSION, minor());
    format!(
        "NAME:\n\tetcdctl - A simple command line client for etcd3.\n\nUSAGE:\n\tetcdctl \
         [flags]\n\nVERSION:\n\t{version}\n\nAPI VERSION:\n\t{minor}\n\n\nCOMMANDS:\n{}\n\
         OPTIONS:\n{}\n",
        indented(&commands),
        with_help(GLOBAL, "etcdctl")
    )
}

/// The version of the protocol.
pub(super) fn minor() -> &'static str {
    let cut = etcd::VERSION.rsplit_once('.');
    cut.map_or("", |(minor, _)| minor)
}

/// The line of the flag that every command has, in its place among others.
fn with_help(options: &[Row<'_>], name: &str) -> String {
    let text = format!("help for {name}");
    let mut rows = options.to_vec();
    rows.push(("  -h, --help[=false]", &text));
    rows.sort_by_key(|(flag, _)| flag.split_once("--").map(|(_, name)| name));
    tabbed(&rows)
}

fn indented(rows: &[Row<'_>]) -> String {
    let text = tabbed(rows);
    text.lines().map(|line| format!("\t{line}\n")).collect()
}

/// Two columns, with tabs between them.
fn tabbed(rows: &[Row<'_>]) -> String {
    let width = rows.iter().map(|(left, _)| left.len()).max().unwrap_or(0);
    let stop = (width + 1).next_multiple_of(8);
    let line = |(left, right): &Row<'_>| {
        let tabs = (stop - left.len()).div_ceil(8);
        format!("{left}{}{right}\n", "\t".repeat(tabs))
    };
    rows.iter().map(line).collect()
}
