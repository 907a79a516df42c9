//! How a message looks once Exchange has taken it apart and put it together again (M38, M103).

/// What Exchange writes first, in this order.
const FIRST: &[&str] = &[
    "received",
    "from",
    "sender",
    "to",
    "cc",
    "subject",
    "thread-topic",
    "thread-index",
    "date",
    "message-id",
    "references",
    "in-reply-to",
];

/// The message with its headers in Exchange's order, and with those that it adds.
pub(super) fn rendered(bytes: &[u8], number: u64) -> Vec<u8> {
    let end = header_end(bytes);
    let (header, body) = bytes.split_at(end);
    let mut fields = fields(header);
    fields.sort_by_key(|field| {
        let name = name_of(field);
        FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len())
    });
    let has = |name: &str| fields.iter().any(|field| name_of(field) == name);
    let mut added = String::new();
    if !has("accept-language") {
        added.push_str("Accept-Language: en-US\r\nContent-Language: en-US\r\n");
    }
    if !has("x-ms-exchange-organization-authas") {
        added.push_str(&format!(
            "X-MS-Has-Attach:\r\nX-MS-TNEF-Correlator:\r\nX-MS-Exchange-Organization-RecordReviewCfmType: 0\r\n\
             X-MS-Exchange-Organization-AuthAs: Internal\r\n\
             X-MS-Exchange-Organization-Network-Message-Id: 5f1c8f{number:06x}\r\n"
        ));
    }
    let mut out: Vec<u8> = fields.concat();
    out.extend_from_slice(added.as_bytes());
    out.extend_from_slice(body);
    out
}

/// Where the empty line begins.
fn header_end(bytes: &[u8]) -> usize {
    let found = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    found.map_or(bytes.len(), |at| at + 2)
}

/// Each field with its folded lines and line ends.
fn fields(header: &[u8]) -> Vec<Vec<u8>> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        match fields.last_mut() {
            Some(field) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                field.extend_from_slice(line)
            }
            _ => fields.push(line.to_vec()),
        }
    }
    fields
}

fn name_of(field: &[u8]) -> String {
    let name = field.split(|byte| *byte == b':').next().unwrap_or_default();
    String::from_utf8_lossy(name).to_ascii_lowercase()
}
