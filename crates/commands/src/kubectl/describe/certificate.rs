//! `kubectl describe certificatesigningrequest`.

use api::kinds::certificatesigningrequest::condition;
use api::{Value, csr, time};

use super::{date, pairs};
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::print::tabulate;

/// A CertificateSigningRequest, without events.
pub(super) fn text(value: &Value) -> Outcome<String> {
    let spec = value.get("spec");
    let subject = csr::subject(spec.str("request"))
        .map_err(|why| Failure::message(format!("Error parsing CSR: {why}")))?;
    let mut text = format!("Name:\t{}\n", value.name());
    text.push_str(&format!("Labels:\t{}\n", pairs(value.labels())));
    // What was applied ends in a newline, and so ends the columns.
    text = tabulate(&(text + &format!("Annotations:\t{}\n", pairs(value.annotations()))));
    let created = date(value.creation_timestamp());
    text.push_str(&format!("CreationTimestamp:\t{created}\n"));
    text.push_str(&format!("Requesting User:\t{}\n", spec.str("username")));
    if spec.has("signerName") {
        text.push_str(&format!("Signer:\t{}\n", spec.str("signerName")));
    }
    if let Some(seconds) = spec.i64_at("expirationSeconds") {
        let duration = time::human_duration(seconds);
        text.push_str(&format!("Requested Duration:\t{duration}\n"));
    }
    text.push_str(&format!("Status:\t{}\nSubject:\n", condition(value)));
    text.push_str(&format!(
        "\tCommon Name:\t{}\n\tSerial Number:\t{}\n",
        subject.common_name, subject.serial_number
    ));
    for (title, values) in [
        ("Organization", &subject.organizations),
        ("Organizational Unit", &subject.units),
    ] {
        for (at, one) in values.iter().enumerate() {
            let title = if at == 0 {
                format!("{title}:")
            } else {
                String::new()
            };
            text.push_str(&format!("\t{title}\t{one}\n"));
        }
    }
    Ok(text)
}
