//! A page that keeps an unsent message when the room's page cannot: the person is signed out, or that page cannot be
//! rendered. It shows the text in a form to go on with. Like [`super::sorry`], it needs neither storage nor renderer.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use protocol::{ClientId, DisplayName, RoomSlug};

use super::policy;

/// A message that was not sent.
pub struct Kept<'a> {
    /// The room that it was written for.
    pub room: &'a RoomSlug,
    /// The text as the form sent it, valid or not.
    pub text: &'a str,
    /// The form's id for it. If the message was stored after all, it is not stored twice.
    pub client_id: &'a ClientId,
}

impl Kept<'_> {
    /// The text in a form that sends it again.
    pub fn to_send(&self, status: StatusCode, why: &str) -> Response {
        let Self { room, .. } = self;
        self.page(
            status,
            why,
            &format!("action=\"/rooms/{room}/messages\""),
            "",
            "Send",
        )
    }

    /// The text in a form that signs in, with a refused name to correct. [`Kept::signed_in`] follows it.
    pub fn to_sign_in(&self, status: StatusCode, why: &str, name: &str) -> Response {
        let fields = format!(
            "<p><label for=\"name\">Your name</label><br>\
             <input id=\"name\" name=\"name\" dir=\"auto\" required autocomplete=\"nickname\" value=\"{}\"></p>\
             <input type=\"hidden\" name=\"next\" value=\"/rooms/{}\">",
            escaped(name),
            self.room
        );
        self.page(status, why, "action=\"/session\"", &fields, "Sign in")
    }

    /// The text for a person who has just signed in.
    pub fn signed_in(&self, name: &DisplayName) -> Response {
        let why = format!("You are signed in as {name}. Your message has not been sent yet.");
        self.to_send(StatusCode::OK, &why)
    }

    fn page(&self, status: StatusCode, why: &str, action: &str, fields: &str, button: &str) -> Response {
        let nonce = policy::nonce();
        let (why, text) = (escaped(why), escaped(self.text));
        let client_id = escaped(self.client_id.as_str());
        let room = self.room;
        // HTML ignores a line break right after the tag, so the template adds one to keep those of the text.
        let body = format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>Not sent yet · Hubbub</title>\
             <style nonce=\"{nonce}\">body{{font:1rem/1.5 system-ui,sans-serif;margin:auto;max-width:40rem;padding:1rem}}\
             textarea,input{{box-sizing:border-box;font:inherit;width:100%}}button{{font:inherit;padding:.5rem 1rem}}</style>\
             </head><body><main><h1>Not sent yet</h1><p role=\"alert\">{why}</p>\
             <form method=\"post\" {action}>{fields}\
             <p><label for=\"text\">Message</label><br>\
             <textarea id=\"text\" name=\"text\" rows=\"8\" dir=\"auto\">\n{text}</textarea></p>\
             <input type=\"hidden\" name=\"client_id\" value=\"{client_id}\">\
             <button>{button}</button></form><p><a href=\"/rooms/{room}\">Back to the room without this message</a></p>\
             </main></body></html>\n"
        );
        let mut headers = HeaderMap::new();
        policy::set_for_page(&mut headers, &nonce);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        (status, headers, body).into_response()
    }
}

/// Escapes text for an element or a double-quoted attribute.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn text_is_escaped() {
        let (room, id) = (RoomSlug::lobby(), ClientId::try_from("once".to_owned()).unwrap());
        let hostile = "\n</textarea><script>alert(\"1\")</script>&lt;";
        let kept = Kept {
            room: &room,
            text: hostile,
            client_id: &id,
        };
        for answer in [
            kept.to_send(StatusCode::OK, hostile),
            kept.to_sign_in(StatusCode::OK, hostile, hostile),
        ] {
            let body = axum::body::to_bytes(answer.into_body(), usize::MAX)
                .await
                .unwrap();
            let html = String::from_utf8(body.to_vec()).unwrap();
            assert!(!html.contains("<script"));
            assert_eq!(html.matches("</textarea>").count(), 1);
            let inside =
                "\n\n&lt;/textarea&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;lt;</textarea>";
            assert!(html.contains(inside), "{html}");
        }
    }
}
