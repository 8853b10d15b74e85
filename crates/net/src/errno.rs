//! The error numbers of Linux system calls, with the names and sentences a person meets.
//! Knows no system call. Models include/uapi/asm-generic/errno.h and glibc's strerror.

use core::fmt;

macro_rules! errnos {
    ($($name:ident = $number:literal $message:literal,)*) => {
        /// A Linux error number (the values of x86-64 and arm64).
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i32)]
        #[allow(missing_docs)]
        pub enum Errno { $($name = $number,)* }

        impl Errno {
            /// Every known error, by number.
            pub const ALL: &'static [Errno] = &[$(Errno::$name,)*];

            /// The symbolic name: `ECONNREFUSED`.
            pub const fn name(self) -> &'static str {
                match self { $(Errno::$name => stringify!($name),)* }
            }

            /// What `strerror` says: `Connection refused`.
            pub const fn message(self) -> &'static str {
                match self { $(Errno::$name => $message,)* }
            }
        }
    };
}

errnos! {
    EPERM = 1 "Operation not permitted",
    ENOENT = 2 "No such file or directory",
    ESRCH = 3 "No such process",
    EINTR = 4 "Interrupted system call",
    EIO = 5 "Input/output error",
    ENXIO = 6 "No such device or address",
    E2BIG = 7 "Argument list too long",
    ENOEXEC = 8 "Exec format error",
    EBADF = 9 "Bad file descriptor",
    ECHILD = 10 "No child processes",
    EAGAIN = 11 "Resource temporarily unavailable",
    ENOMEM = 12 "Cannot allocate memory",
    EACCES = 13 "Permission denied",
    EFAULT = 14 "Bad address",
    ENOTBLK = 15 "Block device required",
    EBUSY = 16 "Device or resource busy",
    EEXIST = 17 "File exists",
    EXDEV = 18 "Invalid cross-device link",
    ENODEV = 19 "No such device",
    ENOTDIR = 20 "Not a directory",
    EISDIR = 21 "Is a directory",
    EINVAL = 22 "Invalid argument",
    ENFILE = 23 "Too many open files in system",
    EMFILE = 24 "Too many open files",
    ENOTTY = 25 "Inappropriate ioctl for device",
    ETXTBSY = 26 "Text file busy",
    EFBIG = 27 "File too large",
    ENOSPC = 28 "No space left on device",
    ESPIPE = 29 "Illegal seek",
    EROFS = 30 "Read-only file system",
    EMLINK = 31 "Too many links",
    EPIPE = 32 "Broken pipe",
    EDOM = 33 "Numerical argument out of domain",
    ERANGE = 34 "Numerical result out of range",
    EDEADLK = 35 "Resource deadlock avoided",
    ENAMETOOLONG = 36 "File name too long",
    ENOLCK = 37 "No locks available",
    ENOSYS = 38 "Function not implemented",
    ENOTEMPTY = 39 "Directory not empty",
    ELOOP = 40 "Too many levels of symbolic links",
    ENOMSG = 42 "No message of desired type",
    EIDRM = 43 "Identifier removed",
    ENOSTR = 60 "Device not a stream",
    ENODATA = 61 "No data available",
    ETIME = 62 "Timer expired",
    ENOLINK = 67 "Link has been severed",
    EPROTO = 71 "Protocol error",
    EBADMSG = 74 "Bad message",
    EOVERFLOW = 75 "Value too large for defined data type",
    ENOTUNIQ = 76 "Name not unique on network",
    EILSEQ = 84 "Invalid or incomplete multibyte or wide character",
    EUSERS = 87 "Too many users",
    ENOTSOCK = 88 "Socket operation on non-socket",
    EDESTADDRREQ = 89 "Destination address required",
    EMSGSIZE = 90 "Message too long",
    EPROTOTYPE = 91 "Protocol wrong type for socket",
    ENOPROTOOPT = 92 "Protocol not available",
    EPROTONOSUPPORT = 93 "Protocol not supported",
    ESOCKTNOSUPPORT = 94 "Socket type not supported",
    EOPNOTSUPP = 95 "Operation not supported",
    EPFNOSUPPORT = 96 "Protocol family not supported",
    EAFNOSUPPORT = 97 "Address family not supported by protocol",
    EADDRINUSE = 98 "Address already in use",
    EADDRNOTAVAIL = 99 "Cannot assign requested address",
    ENETDOWN = 100 "Network is down",
    ENETUNREACH = 101 "Network is unreachable",
    ENETRESET = 102 "Network dropped connection on reset",
    ECONNABORTED = 103 "Software caused connection abort",
    ECONNRESET = 104 "Connection reset by peer",
    ENOBUFS = 105 "No buffer space available",
    EISCONN = 106 "Transport endpoint is already connected",
    ENOTCONN = 107 "Transport endpoint is not connected",
    ESHUTDOWN = 108 "Cannot send after transport endpoint shutdown",
    ETOOMANYREFS = 109 "Too many references: cannot splice",
    ETIMEDOUT = 110 "Connection timed out",
    ECONNREFUSED = 111 "Connection refused",
    EHOSTDOWN = 112 "Host is down",
    EHOSTUNREACH = 113 "No route to host",
    EALREADY = 114 "Operation already in progress",
    EINPROGRESS = 115 "Operation now in progress",
    ESTALE = 116 "Stale file handle",
    EDQUOT = 122 "Disk quota exceeded",
    ENOMEDIUM = 123 "No medium found",
    EMEDIUMTYPE = 124 "Wrong medium type",
    ECANCELED = 125 "Operation canceled",
    ENOKEY = 126 "Required key not available",
    EKEYEXPIRED = 127 "Key has expired",
    EKEYREVOKED = 128 "Key has been revoked",
    EKEYREJECTED = 129 "Key was rejected by service",
    EOWNERDEAD = 130 "Owner died",
    ENOTRECOVERABLE = 131 "State not recoverable",
}

impl Errno {
    /// The number itself: 111 for `ECONNREFUSED`.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The sentence as Go's runtime words it, in lower case: `connection refused`. Kubernetes'
    /// components are Go programs, so this is what their messages hold.
    pub fn go_message(self) -> String {
        match self {
            Errno::ENOMEM => "cannot allocate memory".into(),
            Errno::EINVAL => "invalid argument".into(),
            _ => self.message().to_lowercase(),
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl core::error::Error for Errno {}

#[cfg(test)]
mod tests {
    use super::Errno;

    #[test]
    fn names_numbers_and_sentences_are_those_of_linux() {
        let cases = [
            (Errno::ENOENT, "ENOENT", 2, "No such file or directory"),
            (
                Errno::ECONNREFUSED,
                "ECONNREFUSED",
                111,
                "Connection refused",
            ),
            (Errno::EHOSTUNREACH, "EHOSTUNREACH", 113, "No route to host"),
            (Errno::ETIMEDOUT, "ETIMEDOUT", 110, "Connection timed out"),
        ];
        for (errno, name, number, message) in cases {
            assert_eq!(errno.name(), name);
            assert_eq!(errno.number(), number);
            assert_eq!(errno.to_string(), message);
            assert_eq!(format!("{errno:?}"), name);
        }
        assert_eq!(Errno::EHOSTUNREACH.go_message(), "no route to host");
    }

    #[test]
    fn numbers_are_distinct_and_ascend() {
        assert!(
            Errno::ALL
                .windows(2)
                .all(|pair| pair[0].number() < pair[1].number())
        );
    }
}
