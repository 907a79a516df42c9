//! Graph shows what IMAP does not (7.20).

use serde_json::{Value, json};

use super::{inside, with_mails};
use crate::world::exchange::{ANA, SHARED, Tenant, graph};
use crate::world::tokens::browser::{Reply, send};

fn call(tenant: &Tenant, token: &str, method: &str, path: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("Prefer", "IdType=\"ImmutableId\"")];
    // Without the preference unless the path asks for it.
    let (path, headers) = match path.strip_prefix("immutable:") {
        Some(path) => (path, &headers[..]),
        None => (path, &headers[..1]),
    };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(method, &format!("{}/users/{path}", tenant.graph_url()), headers, &body).unwrap()
}

fn find(how: &str, id: &str) -> String {
    let id = id.replace('<', "%3C").replace('>', "%3E").replace('@', "%40").replace('\'', "''");
    format!(
        "{how}{SHARED}/messages?$filter=internetMessageId%20eq%20'{id}'&$select=id,categories,parentFolderId"
    )
}

/// M107, M108, M109.
#[test]
fn categories_are_read_and_written_as_a_whole() {
    let tenant = with_mails(2);
    tenant.outlook(|outlook| outlook.categorises("<1@example.test>", &["Red"]));
    tenant.outlook(|outlook| outlook.copies("<1@example.test>", "Sent Items"));
    let token = tenant.token_for_graph();
    let found = call(&tenant, &token, "GET", &find("", "<1@example.test>"), &Value::Null);
    assert_eq!(found.status, 200, "{}", found.body);
    let found = &found.json()["value"];
    assert_eq!((found.as_array().unwrap().len(), &found[0]["categories"]), (2, &json!(["Red"])));
    assert!(found[0]["subject"].is_null() && found[0]["parentFolderId"].is_string(), "{found}");

    let path = format!("{SHARED}/messages/{}", found[0]["id"].as_str().unwrap());
    let body = json!({ "categories": ["Owner: Ana", "Waiting"] });
    let reply = call(&tenant, &token, "PATCH", &path, &body);
    assert_eq!((reply.status, &reply.json()["categories"]), (200, &body["categories"]));
    assert_eq!(tenant.shown()[0].categories, ["Owner: Ana", "Waiting"]);
    let all = call(&tenant, &token, "GET", &path, &Value::Null).json();
    assert_eq!(
        (&all["internetMessageId"], &all["subject"], &all["isRead"], &all["flag"]["flagStatus"]),
        (&json!("<1@example.test>"), &json!("Kettle 1"), &json!(false), &json!("notFlagged"))
    );
    let by_category = format!("{SHARED}/messages?$filter=categories/any(c:c%20eq%20'Waiting')");
    let found = call(&tenant, &token, "GET", &by_category, &Value::Null).json();
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
    tenant.set(|knobs| knobs.graph_filters_categories = false);
    assert_eq!(call(&tenant, &token, "GET", &by_category, &Value::Null).status, 400);
    let wrong = call(&tenant, &token, "PATCH", &path, &json!({ "categories": "Red" }));
    assert_eq!(wrong.status, 400);
}

/// M110.
#[test]
fn only_immutable_ids_survive_a_move() {
    let tenant = with_mails(1);
    let token = tenant.token_for_graph();
    let id = |how: &str| {
        let found = call(&tenant, &token, "GET", &find(how, "<1@example.test>"), &Value::Null);
        assert_eq!(found.header("preference-applied").is_some(), !how.is_empty());
        found.json()["value"][0]["id"].as_str().unwrap().to_owned()
    };
    let (movable, immutable) = (id(""), id("immutable:"));
    inside(&tenant).fine("UID MOVE 1 Archive");
    assert_ne!(id(""), movable);
    assert_eq!(id("immutable:"), immutable);
    let status = |id: &str| {
        call(&tenant, &token, "GET", &format!("{SHARED}/messages/{id}"), &Value::Null).status
    };
    assert_eq!((status(&movable), status(&immutable)), (404, 200));
}

/// M111.
#[test]
fn colours_are_in_a_list_of_the_mailbox() {
    let tenant = Tenant::start();
    let token = tenant.token_for_graph();
    let list = format!("{SHARED}/outlook/masterCategories");
    let ana = json!({ "displayName": "Owner: Ana", "color": "preset4" });
    let made = call(&tenant, &token, "POST", &list, &ana);
    assert_eq!((made.status, &made.json()["color"]), (201, &json!("preset4")));
    assert_eq!(call(&tenant, &token, "POST", &list, &ana).status, 409);
    assert_eq!(call(&tenant, &token, "POST", &list, &json!({})).status, 400);
    let all = call(&tenant, &token, "GET", &list, &Value::Null).json();
    assert_eq!(all["value"], json!([made.json()]));
    assert_eq!(
        (tenant.categories()[0].name.as_str(), tenant.categories()[0].colour.as_str()),
        ("Owner: Ana", "preset4")
    );
    let one = format!("{list}/{}", made.text("id"));
    assert_eq!(call(&tenant, &token, "DELETE", &one, &Value::Null).status, 204);
    assert_eq!(call(&tenant, &token, "DELETE", &one, &Value::Null).status, 404);
}

/// From memory: what has changed is told in its order, page by page, and folders have names for every language.
#[test]
fn changes_are_told_in_their_order_and_in_pages() {
    let tenant = with_mails(5);
    let token = tenant.token_for_graph();
    let get = |path: &str| call(&tenant, &token, "GET", path, &Value::Null).json();
    let fields = "$select=internetMessageId,lastModifiedDateTime";
    let last = format!("{SHARED}/messages?$orderby=lastModifiedDateTime%20desc&$top=1&{fields}");
    let before = get(&last)["value"][0]["lastModifiedDateTime"].as_str().unwrap().to_owned();
    tenant.forward(60);
    tenant.outlook(|outlook| outlook.moves("<2@example.test>", "\\Archive"));
    assert!(get(&last)["value"][0]["internetMessageId"] == "<2@example.test>");
    tenant.forward(60);
    tenant.outlook(|outlook| outlook.categorises("<1@example.test>", &["Red"]));
    let ids = |list: &Value| -> Vec<String> {
        let list = list["value"].as_array().unwrap().iter();
        list.map(|one| one["internetMessageId"].as_str().unwrap().to_owned()).collect()
    };
    let changed = |since: &str, top: usize| {
        format!(
            "{SHARED}/messages?$filter=lastModifiedDateTime%20ge%20{since}&$orderby=lastModifiedDateTime%20asc&$top={top}&{fields}"
        )
    };
    let first = get(&changed(&before, 4));
    let next = first["@odata.nextLink"].as_str().unwrap();
    let second = get(next.split_once("/users/").unwrap().1);
    let all = [ids(&first), ids(&second)].concat();
    assert_eq!(
        (all.len(), &all[3..]),
        (5, &["<2@example.test>".into(), "<1@example.test>".into()][..])
    );
    assert!(second["@odata.nextLink"].is_null());
    let since = second["value"][0]["lastModifiedDateTime"].as_str().unwrap();
    assert_eq!(ids(&get(&changed(since, 4))), ["<1@example.test>"]);
    let inbox = get(&format!("{SHARED}/mailFolders/inbox?$select=id"));
    let mail = get(&find("", "<1@example.test>"));
    assert_eq!(inbox["id"], mail["value"][0]["parentFolderId"]);
    let nowhere = format!("{SHARED}/mailFolders/nowhere");
    assert_eq!(call(&tenant, &token, "GET", &nowhere, &Value::Null).status, 404);
}

/// M107, M112.
#[test]
fn graph_wants_its_own_token() {
    let tenant = with_mails(1);
    let path = find("", "<1@example.test>");
    let code = |token: &str, path: &str| {
        let reply = call(&tenant, token, "GET", path, &Value::Null);
        (reply.status, reply.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let invalid = (401, "InvalidAuthenticationToken".to_owned());
    assert_eq!(code("made-up", &path), invalid);
    assert_eq!(code(&tenant.token_of_app(), &path), invalid);
    assert_eq!(code(&tenant.token_of(ANA), &path), invalid);
    let token = tenant.token_for_graph();
    assert_eq!(code(&token, "nobody@contoso.com/messages"), (404, "ErrorInvalidUser".to_owned()));
    tenant.set(|knobs| knobs.graph_mailboxes = Some(vec![SHARED]));
    assert_eq!(code(&token, &path).0, 200);
    assert_eq!(code(&token, &format!("{ANA}/messages")), (403, "ErrorAccessDenied".to_owned()));
    tenant.microsoft.set(|setup| setup.app_roles.clear());
    let without = tenant.token_for_graph();
    assert_eq!(code(&without, &path), (403, "ErrorAccessDenied".to_owned()));
    tenant.forward(2 * 3600);
    assert_eq!(code(&token, &path), invalid);
}

/// M113.
#[test]
fn graph_throttles() {
    let tenant = with_mails(1);
    let token = tenant.token_for_graph();
    tenant.graph.trouble_once(graph::throttled(7));
    let path = find("", "<1@example.test>");
    let reply = call(&tenant, &token, "GET", &path, &Value::Null);
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")));
    assert_eq!(call(&tenant, &token, "GET", &path, &Value::Null).status, 200);
}
