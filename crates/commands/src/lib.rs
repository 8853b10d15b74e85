//! The tools of a machine: one file each, straight-line async functions over their `Io`.
//!
//! **Invariant:** a tool knows nothing but its `Io`; what it does works on a real machine unchanged.

mod accounts;
mod adduser;
mod apk;
mod apt;
mod apt_cache;
mod apt_get;
mod apt_mark;
mod arch;
mod args;
mod awk;
mod base64;
mod basename;
mod bc;
mod bracket;
mod calendar;
mod cat;
mod checksum;
mod chmod;
mod chown;
mod chpasswd;
mod chroot;
mod cksum;
mod clear;
mod cmp;
mod column;
mod comm;
mod conntrack;
mod cp;
mod crictl;
mod crontab;
mod curl;
mod cut;
mod date;
mod dd;
mod df;
mod diff;
mod dig;
mod dirname;
mod dmesg;
mod dpkg;
mod du;
mod echo;
mod editor;
mod egrep;
mod env;
mod envsubst;
mod etcdctl;
mod etcdutl;
mod expand;
mod expr;
mod facts;
mod false_;
mod fetch;
mod fgrep;
mod file;
mod files;
mod find;
mod findmnt;
mod fold;
mod free;
mod getent;
mod gpg;
mod grep;
mod groupadd;
mod groupdel;
mod groups;
mod gunzip;
mod gzip;
mod halt;
mod head;
mod help;
mod hexdump;
mod host;
mod hostname;
mod hostnamectl;
mod id;
mod install;
mod io;
mod ip;
mod iptables;
mod iptables_restore;
mod iptables_save;
mod join;
mod journalctl;
mod jq;
mod kill;
mod kubeadm;
mod kubectl;
mod last;
mod less;
mod ln;
mod logger;
mod ls;
mod lsb_release;
mod lsblk;
mod lscpu;
mod lsmod;
mod lsns;
mod lsof;
pub mod manifests;
mod md5sum;
mod mkdir;
mod mkfifo;
mod mktemp;
mod modprobe;
mod more;
mod mount;
mod mv;
mod nano;
mod nc;
mod netstat;
pub mod netwhy;
mod nice;
mod nl;
mod nohup;
mod nproc;
mod nsenter;
mod nslookup;
mod numfmt;
mod od;
mod openssl;
pub mod packages;
mod part;
mod paste;
mod pgrep;
mod pidof;
mod ping;
mod pkill;
mod poweroff;
mod printenv;
mod printf;
mod process;
mod ps;
mod pwd;
mod readlink;
mod realpath;
mod reboot;
pub mod releases;
mod reset;
mod resolve;
mod rev;
mod rm;
mod rmdir;
mod run;
mod runtime;
mod scp;
mod sed;
mod seq;
mod service;
mod sha1sum;
mod sha256sum;
mod sha512sum;
mod shuf;
mod shutdown;
mod sleep;
mod sort;
mod split;
mod ss;
mod ssh;
mod ssh_keygen;
mod sshd;
mod stat;
mod strace;
mod strings;
mod su;
mod sudo;
mod swapoff;
mod sync;
mod sysctl;
mod systemctl;
mod tac;
mod tail;
mod tar;
mod tcpdump;
mod tee;
mod test;
mod timedatectl;
mod timeout;
mod top;
mod touch;
mod tr;
mod tree;
mod true_;
mod truncate;
mod tty;
mod umount;
mod uname;
mod unexpand;
mod uniq;
mod uptime;
mod url;
mod usage;
mod useradd;
mod userdel;
mod usermod;
mod users;
mod vi;
mod vim;
mod w;
mod watch;
mod wc;
mod wget;
mod which;
mod who;
mod whoami;
mod xargs;
mod xtables;
mod xxd;
mod yes;
mod yq;
mod zcat;

use machine::{Constructor, ToolMain};

/// A tool: its name in `/usr/bin`, and what it does.
pub struct Tool {
    /// The name it is called by.
    pub name: &'static str,
    /// One line for listings.
    pub summary: &'static str,
    /// `cat [FILE]...`
    pub usage: &'static str,
    /// Examples: help, documentation and tests at once.
    pub examples: &'static [Example],
    /// What it does.
    pub run: ToolMain,
    /// The same as the program of an executable.
    pub program: Constructor,
}

/// A command and what it prints.
pub struct Example {
    /// What is typed.
    pub command: &'static str,
    /// What it prints.
    pub output: &'static str,
}

/// Every tool, by name. A static, not a const: a const would be made anew in every crate that asks,
/// and with it the code of every tool.
static TOOLS: &[&Tool] = &[
    // `[`, before the letters.
    &bracket::TOOL,
    &adduser::TOOL,
    &apk::TOOL,
    &apt::TOOL,
    &apt_cache::TOOL,
    &apt_get::TOOL,
    &apt_mark::TOOL,
    &arch::TOOL,
    &awk::TOOL,
    &base64::TOOL,
    &basename::TOOL,
    &bc::TOOL,
    &cat::TOOL,
    &chmod::TOOL,
    &chown::TOOL,
    &chpasswd::TOOL,
    &chroot::TOOL,
    &cksum::TOOL,
    &clear::TOOL,
    &cmp::TOOL,
    &column::TOOL,
    &comm::TOOL,
    &conntrack::TOOL,
    &cp::TOOL,
    &crictl::TOOL,
    &crontab::TOOL,
    &curl::TOOL,
    &cut::TOOL,
    &date::TOOL,
    &dd::TOOL,
    &df::TOOL,
    &diff::TOOL,
    &dig::TOOL,
    &dirname::TOOL,
    &dmesg::TOOL,
    &dpkg::TOOL,
    &du::TOOL,
    &echo::TOOL,
    &editor::TOOL,
    &egrep::TOOL,
    &env::TOOL,
    &envsubst::TOOL,
    &etcdctl::TOOL,
    &etcdutl::TOOL,
    &expand::TOOL,
    &expr::TOOL,
    &false_::TOOL,
    &fgrep::TOOL,
    &file::TOOL,
    &find::TOOL,
    &findmnt::TOOL,
    &fold::TOOL,
    &free::TOOL,
    &getent::TOOL,
    &gpg::TOOL,
    &grep::TOOL,
    &groupadd::TOOL,
    &groupdel::TOOL,
    &groups::TOOL,
    &gunzip::TOOL,
    &gzip::TOOL,
    &halt::TOOL,
    &head::TOOL,
    &hexdump::TOOL,
    &host::TOOL,
    &hostname::TOOL,
    &hostnamectl::TOOL,
    &id::TOOL,
    &install::TOOL,
    &ip::TOOL,
    &iptables::TOOL,
    &iptables_restore::TOOL,
    &iptables_save::TOOL,
    &join::TOOL,
    &journalctl::TOOL,
    &jq::TOOL,
    &kill::TOOL,
    &kubeadm::TOOL,
    &kubectl::TOOL,
    &last::TOOL,
    &less::TOOL,
    &ln::TOOL,
    &logger::TOOL,
    &ls::TOOL,
    &lsb_release::TOOL,
    &lsblk::TOOL,
    &lscpu::TOOL,
    &lsmod::TOOL,
    &lsns::TOOL,
    &lsof::TOOL,
    &md5sum::TOOL,
    &mkdir::TOOL,
    &mkfifo::TOOL,
    &mktemp::TOOL,
    &modprobe::TOOL,
    &more::TOOL,
    &mount::TOOL,
    &mv::TOOL,
    &nano::TOOL,
    &nc::TOOL,
    &netstat::TOOL,
    &netwhy::TOOL,
    &nice::TOOL,
    &nl::TOOL,
    &nohup::TOOL,
    &nproc::TOOL,
    &nsenter::TOOL,
    &nslookup::TOOL,
    &numfmt::TOOL,
    &od::TOOL,
    &openssl::TOOL,
    &paste::TOOL,
    &pgrep::TOOL,
    &pidof::TOOL,
    &ping::TOOL,
    &pkill::TOOL,
    &poweroff::TOOL,
    &printenv::TOOL,
    &printf::TOOL,
    &ps::TOOL,
    &pwd::TOOL,
    &readlink::TOOL,
    &realpath::TOOL,
    &reboot::TOOL,
    &reset::TOOL,
    &rev::TOOL,
    &rm::TOOL,
    &rmdir::TOOL,
    &scp::TOOL,
    &sed::TOOL,
    &seq::TOOL,
    &service::TOOL,
    &sha1sum::TOOL,
    &sha256sum::TOOL,
    &sha512sum::TOOL,
    &shuf::TOOL,
    &shutdown::TOOL,
    &sleep::TOOL,
    &sort::TOOL,
    &split::TOOL,
    &ss::TOOL,
    &ssh::TOOL,
    &ssh_keygen::TOOL,
    &sshd::TOOL,
    &stat::TOOL,
    &strace::TOOL,
    &strings::TOOL,
    &su::TOOL,
    &sudo::TOOL,
    &swapoff::TOOL,
    &sync::TOOL,
    &sysctl::TOOL,
    &systemctl::TOOL,
    &tac::TOOL,
    &tail::TOOL,
    &tar::TOOL,
    &tcpdump::TOOL,
    &tee::TOOL,
    &test::TOOL,
    &timedatectl::TOOL,
    &timeout::TOOL,
    &top::TOOL,
    &touch::TOOL,
    &tr::TOOL,
    &tree::TOOL,
    &true_::TOOL,
    &truncate::TOOL,
    &tty::TOOL,
    &umount::TOOL,
    &uname::TOOL,
    &unexpand::TOOL,
    &uniq::TOOL,
    &uptime::TOOL,
    &useradd::TOOL,
    &userdel::TOOL,
    &usermod::TOOL,
    &users::TOOL,
    &vi::TOOL,
    &vim::TOOL,
    &w::TOOL,
    &watch::TOOL,
    &wc::TOOL,
    &wget::TOOL,
    &which::TOOL,
    &who::TOOL,
    &whoami::TOOL,
    &xargs::TOOL,
    &xxd::TOOL,
    &yes::TOOL,
    &yq::TOOL,
    &zcat::TOOL,
];

/// Scripts of `/usr/share/bash-completion/completions`: the command, and how it is completed.
pub const COMPLETIONS: &[(&str, &str)] = &[("kubectl", kubectl::COMPLETION)];

/// Every tool, by name.
#[must_use]
pub fn all() -> &'static [&'static Tool] {
    TOOLS
}

/// The address a host's name stands for, for tools that images bring.
pub async fn address(io: &machine::Io, host: &str) -> Option<std::net::Ipv4Addr> {
    resolve::name(io, host).await.ok()
}

/// The program of the tool called `name`.
#[must_use]
pub fn program(name: &str) -> Option<Constructor> {
    TOOLS
        .iter()
        .find(|tool| tool.name == name)
        .map(|tool| tool.program)
}
