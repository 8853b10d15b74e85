//! What functions and operators take and give: a line each, `arguments:result` for a function,
//! `target.arguments:result` for a method. Capital letters stand for any type.
//!
//! Models github.com/google/cel-go common/stdlib and ext, and the declarations of
//! k8s.io/apiserver/pkg/cel/library.

use std::rc::Rc;

use super::Type;

/// One form of a function.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) method: bool,
    pub(super) args: Vec<Type>,
    pub(super) result: Type,
}

/// The forms of the function of this name; none if there is no such function.
pub(super) fn of(name: &str) -> Option<Vec<Signature>> {
    let line = SIGNATURES.lines().find_map(|line| {
        let (names, forms) = line.trim().split_once(' ')?;
        names.split('|').any(|n| n == name).then_some(forms)
    })?;
    Some(line.split(' ').map(signature).collect())
}

fn signature(text: &str) -> Signature {
    let (head, result) = text.rsplit_once(':').unwrap_or((text, "dyn"));
    let (method, head) = match head.split_once('.') {
        Some((target, rest)) => (true, [target, rest].join(",")),
        None => (false, head.to_owned()),
    };
    let mut reader = Reader { rest: &head };
    let mut args = Vec::new();
    while !reader.rest.is_empty() {
        args.push(reader.ty());
        reader.rest = reader.rest.trim_start_matches(',');
    }
    let result = Reader { rest: result }.ty();
    Signature {
        method,
        args,
        result,
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn ty(&mut self) -> Type {
        let end = self.rest.find([',', '(', ')']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        let mut inner = Vec::new();
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            while !self.rest.starts_with(')') && !self.rest.is_empty() {
                inner.push(self.ty());
                self.rest = self.rest.trim_start_matches(',');
            }
            self.rest = self.rest.strip_prefix(')').unwrap_or("");
        }
        named(name, inner)
    }
}

fn named(name: &str, mut inner: Vec<Type>) -> Type {
    let second = inner.pop();
    match (name, inner.pop(), second) {
        ("list", _, Some(of)) => Type::list(of),
        ("opt", _, Some(of)) => Type::optional(of),
        ("map", Some(key), Some(value)) => Type::Map(Rc::new((key, value))),
        ("bool", ..) => Type::Bool,
        ("int", ..) => Type::Int,
        ("uint", ..) => Type::Uint,
        ("double", ..) => Type::Double,
        ("string", ..) => Type::String,
        ("bytes", ..) => Type::Bytes,
        ("null", ..) => Type::Null,
        ("time", ..) => Type::Timestamp,
        ("span", ..) => Type::Duration,
        ("type", ..) => Type::Type,
        ("dyn", ..) => Type::Dyn,
        ("A", ..) => Type::Param(0),
        ("B", ..) => Type::Param(1),
        (short, ..) => {
            let known = OPAQUE.iter().find(|(name, _)| *name == short);
            Type::opaque(known.map_or(short, |(_, full)| full))
        }
    }
}

/// The types of the libraries: how the table below calls them, and how messages do.
pub(super) const OPAQUE: [(&str, &str); 11] = [
    ("Quantity", "kubernetes.Quantity"),
    ("URL", "kubernetes.URL"),
    ("IP", "net.IP"),
    ("CIDR", "net.CIDR"),
    ("Semver", "kubernetes.Semver"),
    ("Format", "kubernetes.NamedFormat"),
    ("Authorizer", "kubernetes.authorization.Authorizer"),
    ("PathCheck", "kubernetes.authorization.PathCheck"),
    ("GroupCheck", "kubernetes.authorization.GroupCheck"),
    ("ResourceCheck", "kubernetes.authorization.ResourceCheck"),
    ("Decision", "kubernetes.authorization.Decision"),
];

const SIGNATURES: &str = "\
_+_ int,int:int uint,uint:uint double,double:double string,string:string bytes,bytes:bytes \
list(A),list(A):list(A) time,span:time span,time:time span,span:span
_-_ int,int:int uint,uint:uint double,double:double time,time:span time,span:time span,span:span
_*_|_/_ int,int:int uint,uint:uint double,double:double
_%_ int,int:int uint,uint:uint
_==_|_!=_ A,A:bool
_<_|_<=_|_>_|_>=_ bool,bool:bool int,int:bool int,double:bool int,uint:bool uint,uint:bool \
uint,double:bool uint,int:bool double,double:bool double,int:bool double,uint:bool \
string,string:bool bytes,bytes:bool time,time:bool span,span:bool
@in A,list(A):bool A,map(A,B):bool
!_ bool:bool
-_ int:int double:double span:span
_&&_|_||_ bool,bool:bool
_?_:_ bool,A,A:A
_[_] list(A),int:A map(A,B),A:B opt(list(A)),int:opt(A) opt(map(A,B)),A:opt(B)
_[?_] list(A),int:opt(A) opt(list(A)),int:opt(A) map(A,B),A:opt(B) opt(map(A,B)),A:opt(B)
size string:int bytes:int list(A):int map(A,B):int string.:int bytes.:int list(A).:int map(A,B).:int
type A:type
dyn A:dyn
bool bool:bool string:bool
int int:int uint:int double:int string:int time:int span:int
uint uint:uint int:uint double:uint string:uint
double double:double int:double uint:double string:double
string string:string bool:string int:string uint:string double:string bytes:string time:string \
span:string URL:string IP:string CIDR:string Semver:string
bytes bytes:bytes string:bytes
timestamp time:time string:time int:time
duration span:span string:span int:span
contains|startsWith|endsWith string.string:bool
matches string,string:bool string.string:bool
find string.string:string
findAll string.string:list(string) string.string,int:list(string)
charAt string.int:string
indexOf|lastIndexOf string.string:int string.string,int:int list(A).A:int
lowerAscii|upperAscii|trim string.:string
replace string.string,string:string string.string,string,int:string
split string.string:list(string) string.string,int:list(string)
substring string.int:string string.int,int:string
join list(string).:string list(string).string:string
format string.list(dyn):string
strings.quote string:string
reverse string.:string list(A).:list(A)
isSorted list(int).:bool list(uint).:bool list(double).:bool list(string).:bool list(bool).:bool \
list(bytes).:bool list(time).:bool list(span).:bool
sum list(int).:int list(uint).:uint list(double).:double list(span).:span
min|max list(int).:int list(uint).:uint list(double).:double list(string).:string list(bool).:bool \
list(bytes).:bytes list(time).:time list(span).:span
flatten list(list(A)).:list(A) list(A).:list(dyn)
sort|distinct list(A).:list(A)
slice list(A).int,int:list(A)
sets.contains|sets.equivalent|sets.intersects list(A),list(A):bool
optional.none :opt(A)
optional.of|optional.ofNonZeroValue A:opt(A)
hasValue opt(A).:bool
value opt(A).:A
or opt(A).opt(A):opt(A)
orValue opt(A).A:A
base64.encode bytes:string
base64.decode string:bytes
getFullYear|getMonth|getDate|getDayOfMonth|getDayOfWeek|getDayOfYear time.:int time.string:int
getHours|getMinutes|getSeconds|getMilliseconds time.:int time.string:int span.:int
quantity string:Quantity
isQuantity|isURL|isIP|isCIDR|ip.isCanonical string:bool
sign Quantity.:int
isInteger Quantity.:bool
asInteger Quantity.:int
asApproximateFloat Quantity.:double
add|sub Quantity.Quantity:Quantity Quantity.int:Quantity
isGreaterThan|isLessThan Quantity.Quantity:bool Semver.Semver:bool
compareTo Quantity.Quantity:int Semver.Semver:int
semver string:Semver string,bool:Semver
isSemver string:bool string,bool:bool
major|minor|patch Semver.:int
url string:URL
getScheme|getHost|getHostname|getPort|getEscapedPath URL.:string
getQuery URL.:map(string,list(string))
ip string:IP CIDR.:IP
family IP.:int
isUnspecified|isLoopback|isLinkLocalMulticast|isLinkLocalUnicast|isGlobalUnicast IP.:bool
cidr string:CIDR
containsIP CIDR.string:bool CIDR.IP:bool
containsCIDR CIDR.string:bool CIDR.CIDR:bool
masked CIDR.:CIDR
prefixLength CIDR.:int
format.named string:opt(Format)
format.dns1123Label|format.dns1123Subdomain|format.dns1035Label|format.qualifiedName :Format
format.dns1123LabelPrefix|format.dns1123SubdomainPrefix|format.dns1035LabelPrefix :Format
format.labelValue|format.uri|format.uuid|format.byte|format.date|format.datetime :Format
validate Format.string:opt(list(string))
path Authorizer.string:PathCheck
group Authorizer.string:GroupCheck
serviceAccount Authorizer.string,string:Authorizer
requestResource Authorizer.:ResourceCheck
resource GroupCheck.string:ResourceCheck
subresource|namespace|name|fieldSelector|labelSelector ResourceCheck.string:ResourceCheck
check PathCheck.string:Decision ResourceCheck.string:Decision
allowed|errored Decision.:bool
error|reason Decision.:string
jsonpatch.escapeKey string:string";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::functions;

    #[test]
    fn every_function_says_what_it_takes() {
        for function in functions::all() {
            let math = function.name.starts_with("math.");
            assert!(math || of(function.name).is_some(), "{}", function.name);
        }
    }

    #[test]
    fn signatures_are_read() {
        let forms = of("indexOf").expect("a function");
        let shown = forms.iter().map(|form| {
            let args: Vec<String> = form.args.iter().map(Type::to_string).collect();
            format!("{} {} {}", form.method, args.join(" "), form.result)
        });
        let shown: Vec<String> = shown.collect();
        let expect = [
            "true string string int",
            "true string string int int",
            "true list(dyn) dyn int",
        ];
        assert_eq!(shown, expect);
        assert!(of("nothing").is_none());
    }
}
