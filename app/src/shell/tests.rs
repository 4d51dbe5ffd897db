//! Text written by people creates no element and no attribute anywhere in a document.

use client::samples::{page_of, person, posted, reacted};
use leptos::config::LeptosOptions;
use protocol::{
    ClientId, Deed, DisplayName, Emoji, Limits, LogEvent, MessageText, Person, PresenceList, RoomSlug,
    RoomSummary, RoomTitle, Seq, Timestamp,
};

use super::Document;
use crate::client::returned::Returned;
use crate::data::{FrontData, PageData, RoomData};
use crate::{Address, Assets, Built, Visitor};

/// Texts that could end or begin an element, end an attribute, or confuse a parser of HTML, JSON or JavaScript.
const HOSTILE: &[&str] = &[
    "</title><meta http-equiv=refresh content=0;url=//x.example>",
    "</title><!--",
    "</title><plaintext>",
    "<!--<script>",
    "--><b>",
    "--!><b>",
    "<plaintext>",
    "</script><script>x()</script>",
    "</style><style>*{}",
    "</textarea><b>",
    "<img src=x onerror=x()>",
    "\" onclick=\"x()",
    "' onclick='x()",
    "\"><svg onload=x()>",
    "&lt;b&gt; &amp; &quot; &#60;",
    "<![CDATA[<b>]]>",
    "<!>",
    "<!--[-->",
    "<?php",
    "\\u003cb\\u003e \\",
    "a\u{2028}b\u{2029}c",
    "{{x}} ${x} <%= x %>",
    "&nbsp;&#x202e;",
    "`<b>`",
];

/// The tags of a document with the names of their attributes, as an HTML parser finds them.
fn tags(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        if rest.starts_with("<!--") || rest.starts_with("<!>") {
            let end = if rest.starts_with("<!>") { "<!>" } else { "-->" };
            rest = &rest[rest.find(end).map_or(rest.len(), |at| at + end.len())..];
            tags.push("comment".to_owned());
            continue;
        }
        let mut tag = String::new();
        let mut chars = rest.char_indices();
        let mut quote = None;
        let end = chars.find_map(|(at, c)| {
            match (quote, c) {
                (Some(open), c) if open == c => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, '>') => return Some(at + 1),
                (None, c) => tag.push(c),
            }
            None
        });
        rest = &rest[end.unwrap_or(rest.len())..];
        // The text of these elements ends only at their own end tag.
        for raw in ["script", "style", "title", "textarea"] {
            if tag.strip_prefix('<').is_some_and(|tag| tag.starts_with(raw)) {
                let text = rest.find(&format!("</{raw}")).unwrap_or(rest.len());
                rest = &rest[text..];
            }
        }
        tags.push(tag);
    }
    tags
}

fn document(page: PageData, visitor: Visitor, query: &str) -> String {
    let path = if matches!(page, PageData::Room(_)) {
        "/rooms/lobby"
    } else {
        "/"
    };
    let document = Document {
        options: LeptosOptions::builder().output_name("hubbub").build(),
        assets: Assets {
            socket_io: "/vendor/socket.io.js".into(),
            built: Some(Built {
                script: "/pkg/hubbub.js".into(),
                program: "/pkg/hubbub.wasm".into(),
                style: "a{}".into(),
            }),
        },
        site: "https://chat.example".to_owned(),
        address: Address {
            path: path.to_owned(),
            query: query.to_owned(),
        },
        visitor,
        page,
    };
    let json = document.page.json();
    document.render(json, "NONCE")
}

fn fitting(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

fn room(text: &str) -> String {
    let name = DisplayName::try_from(fitting(text, 32).replace(['\u{2028}', '\u{2029}'], " ")).unwrap();
    let person = |id: &str| Person {
        name: name.clone(),
        ..person(id)
    };
    let said = |n: u64| LogEvent {
        deed: Deed::Posted {
            client_id: ClientId::from_random(u128::from(n)),
            text: MessageText::try_from(text.to_owned()).unwrap(),
            reply_to: Some(Seq::ZERO.next()).filter(|_| n > 1),
        },
        ..posted(n, "Ada")
    };
    // A server checks emoji; a stored one is shown as it is.
    let mut reaction = reacted(3, "Bob", 1, "👍");
    if let Deed::Reacted { emoji, .. } = &mut reaction.deed {
        *emoji = Emoji::kept(text.to_owned());
    }
    let mut page = page_of(1, 3, &[said(1), said(2), reaction]);
    page.people = vec![person("Ada"), person("Bob")];
    page.more = true;
    let you = Some(person("Bob"));
    let roster = PresenceList {
        people: vec![person("Ada"), person("Bob")],
        here: 2,
        stale: false,
    };
    let data = RoomData {
        you: you.clone(),
        room: RoomSlug::try_from("lobby".to_owned()).unwrap(),
        title: title(text),
        page,
        latest: true,
        roster,
        client_id: ClientId::from_random(7),
        now: Timestamp(5_000),
        limits: Limits::default(),
        returned: Returned {
            text: text.to_owned(),
            why: text.to_owned(),
            room: None,
        },
    };
    let visitor = Visitor {
        you,
        ..Visitor::default()
    };
    document(PageData::Room(Box::new(data)), visitor, "")
}

fn title(text: &str) -> RoomTitle {
    RoomTitle::try_from(fitting(text, 60).replace(['\u{2028}', '\u{2029}'], " ")).unwrap()
}

fn front(text: &str) -> String {
    let rooms = vec![RoomSummary {
        room: RoomSlug::try_from("lobby".to_owned()).unwrap(),
        title: title(text),
        here: 3,
        last_at: Some(Timestamp(1)),
    }];
    let data = FrontData {
        you: None,
        rooms,
        total: 1,
        now: Timestamp(5_000),
        returned: Returned {
            text: text.to_owned(),
            why: text.to_owned(),
            room: None,
        },
    };
    // Browsers percent-encode addresses; attackers do not.
    let query = format!("problem={text}&room={text}");
    document(PageData::Front(data), Visitor::default(), &query)
}

#[test]
fn text_written_by_people_creates_no_markup() {
    let (room_tags, front_tags) = (tags(&room("plain")), tags(&front("plain")));
    assert!(room_tags.iter().any(|tag| tag.starts_with("<article")));
    for text in HOSTILE {
        assert_eq!(tags(&room(text)), room_tags, "{text}");
        assert_eq!(tags(&front(text)), front_tags, "{text}");
    }
}

#[test]
fn a_document_has_its_metadata_and_nonces() {
    let html = room("A & B");
    for expected in [
        "<title>A &amp; B · Hubbub</title>",
        "<link rel=\"canonical\" href=\"https://chat.example/rooms/lobby\"",
        "property=\"og:title\"",
        "content=\"https://chat.example/icon-512.png\"",
        "name=\"format-detection\"",
    ] {
        assert!(html.contains(expected), "{expected} in {html}");
    }
    assert!(!document(PageData::NoSuchRoom, Visitor::default(), "").contains("og:title"));
    assert_eq!(
        html.matches("NONCE").count(),
        3,
        "style sheet, import map, program"
    );
    assert_eq!(
        html.matches("NONCE").count(),
        html.matches("nonce=\"NONCE\"").count(),
        "the nonce is nowhere else"
    );
}

#[test]
fn a_document_states_its_number_of_nodes() {
    for html in [room("plain"), front("plain"), room("<b>\"'<!--")] {
        let body = &html[html.find("<body").unwrap()..];
        let (opening, content) = body.split_at(body.find('>').unwrap() + 1);
        let content = &content[..content.find("<script type=\"application/json\"").unwrap()];
        let nodes = tags(content).iter().filter(|tag| !tag.starts_with("</")).count();
        assert!(
            nodes > 20 && opening.contains(&format!("data-nodes=\"{nodes}\"")),
            "{nodes} in {opening}"
        );
    }
}
